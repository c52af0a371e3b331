/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting manifests (distribution-spec, "Content Management"). Each is asked for again after transient answers: what the lost
 * one did shows as a 404. */
#include "registry/registry_parts.h"

#include "base/auto.h"

/* Whether an answer says that the registry does no such thing, or is not set up to. */
static bool is_unsupported(const struct exchange *answer)
{
    return answer->status == 405 || answer->status == 501 ||
           (answer->status == 400 && exchange_has_code(answer, "UNSUPPORTED"));
}

bool registry_delete_manifest(struct registry *registry, const char *name, enum registry_deletion *ret_deletion,
                              struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *path = arena_printf(&scratch, "manifests/%s", name);
    struct exchange answer AUTO(exchange_done) = {.method = "DELETE", .path = path, .access = REGISTRY_DELETE};
    if (!registry_exchange(registry, &answer, err))
        return false;
    bool is_gone = http_status_is_absent(answer.status);
    *ret_deletion = is_gone ? REGISTRY_WAS_GONE : REGISTRY_DELETED;
    if (is_gone || (answer.status >= 200 && answer.status < 300))
        return true;
    exchange_refused(registry, &answer, path, err);
    *ret_deletion = REGISTRY_NO_DELETION;
    return is_unsupported(&answer);
}
