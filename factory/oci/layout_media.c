/* SPDX-License-Identifier: Apache-2.0 */
/* The media types of OCI and of Docker that stand for the same. */
#include "oci/layout_read.h"
#include "oci/oci.h"

bool layout_is_manifest(const char *media_type)
{
    return strcmp(media_type, OCI_MEDIA_MANIFEST) == 0 || strcmp(media_type, LAYOUT_MEDIA_DOCKER_MANIFEST) == 0;
}

bool layout_is_index(const char *media_type)
{
    return strcmp(media_type, OCI_MEDIA_INDEX) == 0 || strcmp(media_type, LAYOUT_MEDIA_DOCKER_LIST) == 0;
}

bool layout_is_config(const char *media_type)
{
    return strcmp(media_type, OCI_MEDIA_CONFIG) == 0 || strcmp(media_type, LAYOUT_MEDIA_DOCKER_CONFIG) == 0;
}
