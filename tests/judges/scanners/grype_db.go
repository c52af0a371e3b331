// SPDX-License-Identifier: Apache-2.0

// grype-db DIR <CLAIMS: as trivy_db.go, in grype's own form, for `grype db import DIR/vulnerability.db`.
package main

import (
	"encoding/json"
	"os"
	"time"

	v6 "github.com/anchore/grype/grype/db/v6"
)

type claim struct{ ID, OS, Version, Codename, Package, Fixed string }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// The range that a claim means: all versions, or all before the fixed one.
func rangeOf(one claim) v6.Range {
	kind := "dpkg"
	if one.OS != "debian" {
		kind = "rpm"
	}
	if one.Fixed == "" {
		return v6.Range{Version: v6.Version{Type: kind}, Fix: &v6.Fix{State: v6.NotFixedStatus}}
	}
	return v6.Range{Version: v6.Version{Type: kind, Constraint: "< " + one.Fixed}, Fix: &v6.Fix{Version: one.Fixed, State: v6.FixedStatus}}
}

func handleOf(one claim, provider *v6.Provider, at *time.Time) *v6.AffectedPackageHandle {
	ecosystem := "deb"
	if one.OS != "debian" {
		ecosystem = "rpm"
	}
	return &v6.AffectedPackageHandle{
		Vulnerability: &v6.VulnerabilityHandle{Name: one.ID, Status: v6.VulnerabilityActive, PublishedDate: at, ModifiedDate: at, ProviderID: provider.ID,
			Provider: provider, BlobValue: &v6.VulnerabilityBlob{ID: one.ID}},
		OperatingSystem: &v6.OperatingSystem{Name: one.OS, ReleaseID: one.OS, MajorVersion: one.Version, Codename: one.Codename},
		Package:         &v6.Package{Ecosystem: ecosystem, Name: one.Package},
		BlobValue:       &v6.PackageBlob{CVEs: []string{one.ID}, Ranges: []v6.Range{rangeOf(one)}},
	}
}

func main() {
	var claims []claim
	must(json.NewDecoder(os.Stdin).Decode(&claims))
	writer, err := v6.NewWriter(v6.Config{DBDirPath: os.Args[1], CacheSizeKiB: 1024})
	must(err)
	now := time.Now()
	must(writer.SetDBMetadata())
	provider := &v6.Provider{ID: "made-up", Version: "1", Processor: "kit", DateCaptured: &now, InputDigest: "none"}
	must(writer.AddProvider(*provider))
	for _, one := range claims {
		handle := handleOf(one, provider, &now)
		must(writer.AddVulnerabilities(handle.Vulnerability))
		must(writer.AddAffectedPackages(handle))
	}
	must(writer.Close())
}
