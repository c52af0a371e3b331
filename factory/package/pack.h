/* SPDX-License-Identifier: Apache-2.0 */
/* pack.h - the file that holds one unpacked package: bytes first, then tables, then a trailer
 *
 * Format, version 5; numbers little endian, offsets from the start of the file:
 *   bytes      contents of the regular files, each begun at a multiple of 16, in the order of the package
 *   tables     begun at a multiple of 16: struct pack_head, entries (sorted by path), ELF facts, needed libraries
 *              (string numbers), scripts, the format's facts, strings. A string is told by its offset in the strings; 0
 *              means "none".
 *   trailer    magic, offset and length of the tables, SHA-256 of the tables
 * Each content's SHA-256 is in its entry. So the store's digest of the file is one of tables and trailer alone, and no byte is hashed
 * twice; earlier versions hashed the whole file, which is believed, too.
 * Reading trusts nothing but the digest of the tables for speed of use: every number is also checked.
 * Threads: one writer belongs to one thread.
 * Fails with: ERR_LOCAL (the store), ERR_MALFORMED (more than 4 GiB of strings).
 */
#ifndef IMGFACTORY_PACKAGE_PACK_H
#define IMGFACTORY_PACKAGE_PACK_H

#include "package/package.h"

#define PACK_KIND "unpacked"
#define PACK_MAGIC "imgfactory pack6"
#define PACK_MAGIC_BYTES 16
#define PACK_ALIGN 16
#define PACK_NO_ELF UINT32_MAX

/* The structs below are the file's own layout: no padding, fixed width, little endian. */
struct pack_head {
    struct digest package;
    int64_t build_time;
    uint32_t format, name, version, architecture, replaces; /* strings */
    uint32_t entry_count, elf_count, needed_count, script_count, fact_count, strings_bytes;
    uint32_t reserved;
};

struct pack_entry {
    uint64_t size_bytes, data_offset;
    int64_t mtime;
    uint32_t path, target, interpreter, owner, group; /* strings */
    uint32_t capability, capability_bytes;            /* bytes among the strings */
    uint32_t elf;                                     /* number of the ELF facts, or PACK_NO_ELF */
    uint32_t kind, mode, uid, gid, is_documentation, configuration;
    struct digest digest;
};

/* A script or a fact. */
struct pack_named {
    uint32_t name, text; /* strings */
};

struct pack_elf {
    uint16_t machine, type;
    uint8_t elf_class, is_big_endian, has_dynamic, has_nodeflib, is_pie, os_abi;
    uint16_t reserved;
    uint32_t flags;
    uint32_t interp, soname, rpath, runpath, broken; /* strings */
    uint32_t needed_first, needed_count;
};

struct pack_trailer {
    char magic[PACK_MAGIC_BYTES];
    uint64_t tables_offset, tables_bytes;
    struct digest tables_digest;
};

/* Appends zeros up to the next multiple of PACK_ALIGN. */
bool pack_align(struct blob *blob, struct err *err) MUST_CHECK;
/* Appends tables and trailer for the package, whose entries are sorted; data_offsets[i] is where the bytes of entry i
 * begin in the blob. The blob is left begun, and no longer apart. */
bool pack_write_tables(struct blob *blob, const struct package *package, const uint64_t *data_offsets,
                       struct err *err) MUST_CHECK;
/* Fills the package's metadata from its mapping (package->view): pointers into the mapping, tables in its arena. The
 * package's format must be set. Returns why the file is not what this program writes, or NULL. */
const char *pack_read_tables(struct package *package);
/* Returns whether tables, trailer and all contents are those that the store's digest of the file vouches for: hashes each byte. For
 * store_map_checked(). */
bool pack_is_right(const struct view *view, const struct digest *digest);

#endif
