/* SPDX-License-Identifier: Apache-2.0 */
/* What came out, as a signed statement that hangs on the image. */
#include "cli/rebuild_parts.h"

#include "base/auto.h"
#include "base/clock.h"
#include "cli/remote_parts.h"
#include "oci/oci_text.h"
#include "sbom/attest.h"

#define VERIFIER "urn:imgfactory:verifier:local" /* where nobody names one */

/* A call; the remote comes first. */
struct publishing {
    struct remote remote;
    const struct rebuild_plan *plan;
    const struct rebuild_result *result;
    size_t count;
};

static void close_registry(struct registry **registry)
{
    registry_close(*registry);
}

static bool publish(struct remote *remote, struct err *err)
{
    struct publishing *publishing = (struct publishing *)remote;
    struct command *command = remote->command;
    const struct rebuild_plan *plan = publishing->plan;
    const char *verifier = command->options.builder;
    bool is_identical = publishing->result->verdict == REBUILD_IDENTICAL;
    struct attest_result result = {.verifier = verifier ? verifier : VERIFIER,
                                   .property = is_identical ? TOLD_IDENTICAL : TOLD_SAME_CONTENT};
    const struct attest attest = {.kinds = ATTEST_RESULT, .signers = &command->signers, .result = &result};
    const struct attach_target target = {
        .repository = arena_printf(&command->arena, "%s/%s", plan->reference.host, plan->reference.repository),
        .image = &plan->image};
    struct attach_list list = {0};
    AUTO(close_registry) struct registry *registry = NULL;
    return oci_timestamp(&command->arena, clock_date(), &result.time, err) &&
           registry_open(remote->registry_options, remote->http, &plan->reference, REGISTRY_PUSH, &registry, err) &&
           attest_give((void *)(uintptr_t)&attest, &command->arena, &target, &list, err) &&
           attach_bring(registry, &command->arena, &list, false, &publishing->count, err);
}

bool rebuild_publish(struct command *command, const struct rebuild_plan *plan, const struct rebuild_result *result,
                     size_t *ret_count, struct err *err)
{
    struct publishing publishing = {
        .remote = {.command = command, .arena = &command->arena, .registry_options = command_registry_options(command)},
        .plan = plan,
        .result = result};
    command->is_confined = true; /* by the build */
    bool is_good = remote_with_network(&publishing.remote, publish, err);
    *ret_count = publishing.count;
    return is_good;
}
