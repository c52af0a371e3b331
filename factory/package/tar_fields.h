/* SPDX-License-Identifier: Apache-2.0 */
/* tar_fields.h - the fields of one tar header, and the records of one pax header
 *
 * tar(5); POSIX.1-2017 pax, "ustar Interchange Format" and "pax Extended Header".
 * Threads: no state.
 * Fails with: false and *ret_why, a phrase for people.
 */
#ifndef IMGFACTORY_PACKAGE_TAR_FIELDS_H
#define IMGFACTORY_PACKAGE_TAR_FIELDS_H

#include "base/err.h"
#include "base/text.h"

#define TAR_NAME_BYTES 100

/* The numbers of a header. */
struct tar_fields {
    char type;
    uint32_t mode;      /* permissions only */
    int64_t whole_mode; /* as it is written */
    int64_t uid, gid, mtime;
    uint64_t size_bytes;
};

/* What matters here of a pax header; texts are within it, empty when it does not say. */
struct tar_records {
    struct text path, link;
    bool has_size, has_uid, has_gid, has_mtime;
    bool is_sparse; /* it has keys of GNU's sparse formats */
    uint64_t size_bytes;
    int64_t uid, gid, mtime;
};

/* Returns whether the checksum is right (of unsigned bytes, or of signed ones as old tars had it). */
bool tar_is_header(const char header[512]);
/* Parses a header's numbers. */
bool tar_parse_fields(const char header[512], struct tar_fields *ret_fields, const char **ret_why) MUST_CHECK;
/* Writes the header's name, with its prefix when it is ustar, into 512 bytes. */
bool tar_header_name(const char header[512], char ret_name[512], const char **ret_why) MUST_CHECK;
/* Writes the header's link name into 512 bytes. */
void tar_header_link(const char header[512], char ret_link[512]);
/* Reads the device numbers of a header; 0 where none is written. */
void tar_header_device(const char header[512], int64_t *ret_major, int64_t *ret_minor);
/* Cuts one record "LENGTH KEY=VALUE\n" off the front; false when it is malformed. */
bool tar_next_record(struct text *rest, struct text *ret_key, struct text *ret_value) MUST_CHECK;
/* Parses records. */
bool tar_parse_records(struct text bytes, struct tar_records *ret_records, const char **ret_why) MUST_CHECK;
/* Returns whether all bytes are NUL. */
bool tar_is_zero(const char *bytes, size_t len);

#endif
