// SPDX-License-Identifier: Apache-2.0

// trivy-db DIR <CLAIMS: writes a database of trivy's own form that knows these vulnerabilities and no other. The real ones are not to
// be had everywhere, and a test wants to say which package has which. CLAIMS is JSON:
// [{"id": "CVE-2099-0001", "os": "debian", "version": "12", "codename": "bookworm", "package": "glibc", "fixed": ""}, ...]
package main

import (
	"encoding/json"
	"os"
	"time"

	"github.com/aquasecurity/trivy-db/pkg/db"
	"github.com/aquasecurity/trivy-db/pkg/metadata"
	"github.com/aquasecurity/trivy-db/pkg/types"
	bolt "go.etcd.io/bbolt"
)

type claim struct{ ID, OS, Version, Codename, Package, Fixed string }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func put(tx *bolt.Tx, one claim) error {
	config := db.Config{}
	source := types.DataSource{ID: types.SourceID(one.OS), Name: "made up", URL: "https://example.org/"}
	place := one.OS + " " + one.Version
	if err := config.PutDataSource(tx, place, source); err != nil {
		return err
	}
	if err := config.PutAdvisory(tx, []string{place, one.Package}, one.ID, types.Advisory{FixedVersion: one.Fixed}); err != nil {
		return err
	}
	return config.PutVulnerability(tx, one.ID, types.Vulnerability{Title: one.ID, Severity: "HIGH"})
}

func main() {
	var claims []claim
	must(json.NewDecoder(os.Stdin).Decode(&claims))
	must(db.Init(os.Args[1]))
	must(db.Config{}.BatchUpdate(func(tx *bolt.Tx) error {
		for _, one := range claims {
			if err := put(tx, one); err != nil {
				return err
			}
		}
		return nil
	}))
	must(db.Close())
	now := time.Now()
	must(metadata.NewClient(os.Args[1]).Update(metadata.Metadata{
		Version: db.SchemaVersion, NextUpdate: now.AddDate(1, 0, 0), UpdatedAt: now, DownloadedAt: now}))
}
