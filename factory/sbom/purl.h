/* SPDX-License-Identifier: Apache-2.0 */
/* purl.h - package URLs (purl-spec: types deb, rpm, oci), as scanners match them
 *
 * Of a .deb the epoch stands in the version (`1:9.18-1`), of an RPM it is a qualifier. `upstream`, which scanners read and
 * the specification does not have, names the source package where it is another, and its version where that is.
 * Threads: pure functions.
 */
#ifndef IMGFACTORY_SBOM_PURL_H
#define IMGFACTORY_SBOM_PURL_H

#include "sbom/sbom.h"

/* Percent-encodes all but letters, digits and ". - _ ~ :". */
const char *purl_encode(struct arena *arena, const char *string);
/* Of a package, whose other members are set. `sbom` says of which distribution it is. */
const char *purl_of_package(struct arena *arena, const struct sbom *sbom, const struct sbom_package *package);
/* Of its source package; NULL when that is not known. */
const char *purl_of_source(struct arena *arena, const struct sbom *sbom, const struct sbom_package *package);
/* Of a manifest of an image, without qualifiers. / Of a package of an image without version and qualifiers, in all forms that
 * scanners give it: syft leaves the namespace out of RPMs that it knows by their list alone. */
const char *purl_of_digest(struct arena *arena, const char *image, const struct digest *digest);
struct strings purls_of_name(struct arena *arena, const struct sbom *sbom, const struct sbom_package *package);
/* Of the image. */
const char *purl_of_image(struct arena *arena, const struct sbom *sbom);

#endif
