/* tree_draft.h - the tree while it is put together: nodes by path, parents made as needed
 *
 * Private to tree*.c. Order of work: kept files, their parents, root links, the manifest's own entries, users and
 * groups, os-release, the package database. Times, hard links and the sorting come last.
 * Threads: one.
 */
#ifndef IMGFACTORY_CONTENT_TREE_DRAFT_H
#define IMGFACTORY_CONTENT_TREE_DRAFT_H

#include "base/map.h"
#include "content/tree.h"

struct draft {
    struct node node;
    const struct sourced *file;       /* a package's, or NULL: node.mtime is then created_time */
    const struct entry *content;      /* of `file` when it has bytes */
    const struct manifest_made *made; /* by the manifest, or NULL */
};

struct drafts {
    struct arena *arena;
    const struct tree_request *request;
    struct map by_path; /* path → struct draft * */
};

/* Finds a node; NULL when absent. */
struct draft *drafts_find(const struct drafts *drafts, const char *path);
/* Adds a node that is ours, with its parents; the path must be free (else ERR_RESOLVE naming both sides).
 * `node->package` stays NULL. */
bool drafts_add(struct drafts *drafts, const struct node *node, struct draft **ret_draft, struct err *err) MUST_CHECK;
/* Makes sure that every parent is a directory: as the child's package has it, else as any package has it, else 0755
 * root. */
bool drafts_add_parents(struct drafts *drafts, const struct draft *child, struct err *err) MUST_CHECK;
/* Says who gave a node, for messages: "package nginx", "the manifest", "imgfactory itself". */
const char *draft_giver(struct arena *arena, const struct draft *draft);
/* Sets ERR_USAGE with the place of a manifest's own entry. Always returns false. */
bool made_fail(const struct drafts *drafts, const struct manifest_made *made, struct err *err, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* Adds what the manifest creates. */
bool drafts_add_made(struct drafts *drafts, struct err *err) MUST_CHECK;
/* Adds /etc/passwd and /etc/group when the manifest has users or groups. */
bool drafts_add_users(struct drafts *drafts, struct err *err) MUST_CHECK;
/* Finds the number of an owner or group: "root", a name of the manifest, or decimal; false when there is none. */
bool manifest_owner_number(const struct manifest *manifest, const char *name, uint32_t *ret_number) MUST_CHECK;
bool manifest_group_number(const struct manifest *manifest, const char *name, uint32_t *ret_number) MUST_CHECK;
/* Adds /etc/ld.so.cache when the closure needs it and nothing gives it. */
bool drafts_add_cache(struct drafts *drafts, struct err *err) MUST_CHECK;
/* Adds /usr/lib/os-release and its link when nothing gives it. */
bool drafts_add_os_release(struct drafts *drafts, struct err *err) MUST_CHECK;
/* Adds the package database for these packages. */
bool drafts_add_status(struct drafts *drafts, const struct package *const *packages, size_t count,
                       struct err *err) MUST_CHECK;

#endif
