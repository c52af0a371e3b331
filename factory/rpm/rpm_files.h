/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_files.h - the list of files in an .rpm's main header
 *
 * Format: https://rpm-software-management.github.io/rpm/manual/tags.html ("File info tags"). Arrays of one item per
 * file: DIRNAMES, DIRINDEXES and BASENAMES (rpm 3: OLDFILENAMES), FILEMODES, FILESIZES or LONGFILESIZES, FILEMTIMES,
 * FILEDIGESTS (of algorithm FILEDIGESTALGO, default MD5), FILELINKTOS, FILEFLAGS, FILEUSERNAME, FILEGROUPNAME, FILECAPS,
 * FILEINODES and FILEDEVICES (equal for the names of one hard-linked file). Refused: arrays of another length, paths that
 * are not absolute, a path twice, device nodes, fifos and sockets (%ghost ones aside), a file without digest.
 * Threads: no state.
 * Owns: nothing; strings are views of the header.
 * Fails with: ERR_MALFORMED.
 */
#ifndef IMGFACTORY_RPM_RPM_FILES_H
#define IMGFACTORY_RPM_RPM_FILES_H

#include "base/map.h"
#include "rpm/rpm_header.h"
#include "source/configuration.h"

struct rpm_file {
    const char *path;    /* as the header has it: absolute, not canonical */
    uint32_t mode;       /* with the bits of the file type */
    uint64_t size_bytes; /* regular files and symbolic links */
    int64_t mtime;       /* seconds */
    const char *digest;  /* regular files: hexadecimal */
    const char *link;    /* symbolic links: the target */
    const char *owner, *group;
    const char *capability; /* text, or "" */
    bool is_ghost;          /* not in the payload */
    bool is_documentation;
    enum configuration configuration;
    struct rpm_links *links; /* the hard-linked names that it belongs to, or NULL when it has one name */
};

/* The names of one hard-linked file. */
struct rpm_links {
    size_t count;
    size_t last; /* number of the last of them in the header: the one that has the bytes in stripped payloads */
};

struct rpm_files {
    struct rpm_file *items;
    size_t count;
    uint64_t digest_algorithm; /* rpm_digest.h */
    struct map by_path;        /* path → struct rpm_file * */
};

/* Reads the list; at most `max_count` files. Keep the struct where it is: the map points into it. */
bool rpm_files_read(struct arena *arena, const struct rpm_header *header, size_t max_count, struct rpm_files *ret_files,
                    struct err *err) MUST_CHECK;

#endif
