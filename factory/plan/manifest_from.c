/* SPDX-License-Identifier: Apache-2.0 */
/* `create: {path, from: FILE}`: a copy of a file that lies beside the manifest. */
#include "base/auto.h"
#include "io/file.h"
#include "plan/manifest_parts.h"
#include "plan/rules.h"

#include <errno.h>
#include <fcntl.h>

#define FROM_MAX ((size_t)16 << 20) /* bytes of one file */

/* Tells why a name does not stay below the manifest's folder, or NULL. */
static const char *why_not_below(struct arena *arena, const char *name)
{
    if (name[0] == '/')
        return "must be a file beside the manifest or below it, not an absolute path";
    return rule_path(arena_printf(arena, "/%s", name));
}

/* Whoever names the manifest by its digest names the file by it, too. */
static void mix_digest(struct manifest *manifest, struct text bytes)
{
    struct digest_stream stream AUTO(digest_abandon) = {0};
    struct digest digest = digest_of(bytes.ptr, bytes.len);
    digest_begin(&stream);
    digest_feed(&stream, manifest->digest.bytes, DIGEST_BYTES);
    digest_feed(&stream, digest.bytes, DIGEST_BYTES);
    manifest->digest = digest_end(&stream);
}

bool manifest_read_from(struct arena *arena, struct manifest_form *form, struct wish_made *made, struct err *err)
{
    const struct yaml_node *node = yaml_get(made->node, "from");
    node = node ? node : made->node; /* under another key */
    const char *name = text_printable(arena, text_of(made->from)), *why = why_not_below(arena, made->from);
    if (!form->is_from_fine)
        return yaml_fail(node, err, "'from' is for manifests; a text goes under 'content'");
    if (yaml_get(made->node, "from") && yaml_get(made->node, "content"))
        return yaml_fail(node, err, "'content' and 'from' stand together; one of them says what is in '%s'",
                         text_printable(arena, text_of(made->path)));
    if (why)
        return yaml_fail(node, err, "'%s' %s", name, why);
    const char *slash = strrchr(form->manifest.path, '/');
    int dir_len = slash ? (int)(slash + 1 - form->manifest.path) : 0;
    const char *path = arena_printf(arena, "%.*s%s", dir_len, form->manifest.path, made->from);
    struct buf bytes AUTO(buf_done) = {0};
    struct err reason = {0};
    if (!file_read_unlinked_at(AT_FDCWD, path, FROM_MAX, &bytes, &reason)) {
        if (reason.kind == ERR_LOCAL && reason.detail != ENOENT && reason.detail != EISDIR) {
            *err = reason;
            return false;
        }
        return yaml_fail(node, err, "'from': %s", reason.text);
    }
    made->content = arena_strndup(arena, buf_text(&bytes).ptr, bytes.len);
    made->content_bytes = bytes.len;
    mix_digest(&form->manifest, buf_text(&bytes));
    return true;
}
