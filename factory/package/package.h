/* SPDX-License-Identifier: Apache-2.0 */
/* package.h - one package's payload as entries: metadata in memory, bytes in one mapped file of the store
 *
 * package_unpack() reads a package of any format (format.h: unpack) straight into derived/unpacked/<key>: every regular
 * file's bytes, the entries, ELF facts, scripts, and the facts of its format (pack.h). Nothing is written under a path
 * that a package names. xz is so paid once per package, and so is gpgv.
 * package_open() maps it. Not entries: the root directory, %ghost files, and links that merged /usr already makes
 * ("bin -> usr/bin" of base-files).
 * With keys an .rpm's signature is checked before anything of its header is believed (rpm_signature.h), then the digest
 * of the payload in that header; without keys the digest of the index vouches. Digests of single files are checked too;
 * where those are MD5 or SHA-1 (packages before 2009) they only find damage.
 * Refused (ERR_MALFORMED, naming package and entry): members missing, repeated or out of order; sizes, counts and
 * offsets that lie; paths that path.h refuses; hard links to what is not an earlier regular file of the package; device
 * nodes, fifos, sockets; whiteout names (.wh.*); pax headers and sparse entries (tar_reader.h); a payload that is not
 * what the header lists; a path twice (unless both are directories, or both are the same file or link); a path below
 * something that is not a directory; source packages; more than 2 million entries, 512 MiB of names, or
 * PACKAGE_MAX_BYTES unpacked (or more than 4096 times the package's size + 64 MiB). A name, version or architecture
 * that differs from the index: ERR_TRUST.
 * Threads: any worker; an open package is const for all.
 * Owns: the mapping, until package_close().
 */
#ifndef IMGFACTORY_PACKAGE_PACKAGE_H
#define IMGFACTORY_PACKAGE_PACKAGE_H

#include "io/store.h"
#include "package/elf.h"
#include "source/configuration.h"

struct format;
struct keyrings;

#define PACKAGE_MAX_BYTES ((uint64_t)8 << 30)

enum entry_kind { ENTRY_FILE, ENTRY_DIRECTORY, ENTRY_SYMLINK, ENTRY_HARDLINK };

struct entry {
    const char *path; /* canonical (path.h) */
    enum entry_kind kind;
    uint32_t mode; /* permission bits with setuid, setgid, sticky */
    uint32_t uid, gid;
    int64_t mtime;        /* seconds; may be negative */
    uint64_t size_bytes;  /* ENTRY_FILE */
    const char *target;   /* symlink: verbatim; hard link: path of the entry of the same package with the bytes */
    const char *data;     /* ENTRY_FILE: size_bytes bytes in the mapping */
    struct digest digest; /* ENTRY_FILE: of the bytes, which were checked when the package was opened */
    const struct elf_facts *elf; /* ENTRY_FILE that is ELF, else NULL */
    const char *interpreter;     /* ENTRY_FILE that begins with "#!": the line after it, trimmed, at most 255 bytes */
    const char *owner, *group;   /* .rpm: names, of which the tree makes uid and gid; .deb: NULL */
    struct text capability;      /* value of the xattr security.capability (struct vfs_cap_data), mostly empty */
    bool is_documentation;       /* .rpm: RPMFILE_DOC */
    enum configuration configuration; /* .rpm: RPMFILE_CONFIG, NOREPLACE and MISSINGOK */
};

/* A maintainer script or RPM scriptlet: never run, but looked at for what it would have done. */
struct package_script {
    const char *
        name; /* .deb: "preinst", "postinst", "config", "triggers", "templates" (names and answers); .rpm: "pretrans", "prein", "postin",
                         "posttrans", and "triggers", "filetriggers", "transfiletriggers": names, a line each */
    const char *text; /* .rpm: with a first line "#!INTERPRETER" put before it; .deb: at most 1 MiB, up to a NUL */
};

/* What a package says of itself in the words of its format, which alone understands it: .deb: "control" and "md5sums",
 * those files' text as it is; .rpm: rpm_facts.h. "license" is what every format calls the licence. */
struct package_fact {
    const char *name, *text;
};

struct package {
    const struct format *format;
    const char *name, *version, *architecture; /* .rpm: version is [EPOCH:]VERSION-RELEASE, epoch 0 left out */
    struct {
        struct package_script *items;
        size_t count, capacity;
    } scripts;
    struct {
        struct package_fact *items;
        size_t count, capacity;
    } facts;
    const char *provides_files_replaced; /* the Replaces field, or NULL */
    int64_t build_time;                  /* .deb: newest time among the archive's own member headers; .rpm: BUILDTIME */
    struct digest digest;                /* of the .deb or .rpm */
    struct entry *entries;               /* sorted by path, each path once */
    size_t count;
    struct view view;         /* private: the mapping */
    struct store_place place; /* private: of it, when it was found right */
    struct arena arena;       /* private */
};

/* What the index said of the package: compared with what it says of itself. NULL fields are not compared. */
struct package_expect {
    const struct format *format;
    const char *name, *version, *architecture;
    struct digest digest;        /* of the .deb or .rpm: with the keys, the key of the unpacked file */
    const struct keyrings *keys; /* .rpm: one of these must have signed it; NULL: no signature is asked for */
};

/* Unpacks the package (a mapped blob with the digest of the index) into the store. Does one package's computing: run it
 * on a worker. */
bool package_unpack(struct store *store, struct text bytes, const struct package_expect *expect,
                    struct err *err) MUST_CHECK;
/* Opens what was unpacked; *ret_found false when it is absent or damaged (it is then dropped). *ret_package is
 * malloc'd, frozen. */
bool package_open(struct store *store, const struct package_expect *expect, struct package **ret_package,
                  bool *ret_found, struct err *err) MUST_CHECK;
/* Returns a fact of the package by name; NULL when it says nothing of it. */
const char *package_fact(const struct package *package, const char *name);
/* Finds a script by name; NULL when the package has none of it. */
const struct package_script *package_script_find(const struct package *package, const char *name);
/* Returns whether a script of the package is run when it is installed, by the script's name. */
bool package_runs_at_install(const struct package *package, const char *name);
/* Finds an entry by canonical path; NULL when absent. */
const struct entry *package_find(const struct package *package, const char *path);
/* Returns the number of the first entry whose path does not come before `path`; the count of all when each does. */
size_t package_first_from(const struct package *package, const char *path);
/* Returns whether these bytes are in the package's file in the cache: then they were found right when it was opened, and are what their
 * entry says unless the file changed since. */
bool package_vouches(const struct package *package, const char *data, uint64_t len);
/* Returns whether nobody wrote to the file or put another in its place since. */
bool package_is_unchanged(const struct package *package);
/* Lets go of the memory that holds bytes of the package: all of them, or those of one of its files (other bytes stay as they
 * are). They can be read again. */
void package_rest(const struct package *package);
void package_rest_file(const struct package *package, const char *data, uint64_t len);
/* Unmaps and frees. NULL is fine. */
void package_close(struct package *package);

#endif
