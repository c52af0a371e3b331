/* SPDX-License-Identifier: Apache-2.0 */
/* What everything that talks to a registry asks of it: where it is, and when it may be asked again. */
#include "registry/registry_parts.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/units.h"

#include <sys/random.h>

#define BACK_OFF_MAX_MS ((uint64_t)30 * 1000)
#define RETRY_AFTER_MAX_S 120u
#define SLEEP_SLICE_MS ((uint64_t)50)

struct digest_name registry_digest_name(const struct digest *digest)
{
    struct digest_name name;
    (void)snprintf(name.chars, sizeof name.chars, "sha256:%s", digest_hex(digest).chars);
    return name;
}

const char *registry_base(struct arena *arena, const struct registry *registry)
{
    bool is_http = atomic_load(&registry->scheme) == SCHEME_HTTP;
    return arena_printf(arena, "%s://%s", is_http ? "http" : "https", registry->reference.api_host);
}

struct registry_origin registry_home(const struct registry *registry)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct registry_origin origin = {0};
    bool is_parsed = registry_origin_parse(registry_base(&scratch, registry), &origin);
    (void)is_parsed; /* registry_open() saw to it */
    return origin;
}

bool registry_sleep(struct registry *registry, uint64_t ms, struct err *err)
{
    uint64_t until = clock_ms() + ms;
    for (uint64_t now = clock_ms();; now = clock_ms()) {
        bool is_going_on = ms == 0 && atomic_load(&registry->is_ending_late);
        if (registry->options->cancel && atomic_load(registry->options->cancel) && !is_going_on) {
            err_clear(err);
            err_set(err, ERR_CANCELLED, "%s: cancelled", registry->name);
            return false;
        }
        if (now >= registry->deadline_ms) {
            if (err->kind == ERR_NONE)
                err_set(err, ERR_NETWORK, "%s: not done", registry->name);
            err_wrap(err, "gave up after %u s", registry->patience_ms / 1000);
            return false;
        }
        if (now >= until)
            return true;
        uint64_t left = until - now < SLEEP_SLICE_MS ? until - now : SLEEP_SLICE_MS;
        clock_sleep_ms(left);
    }
}

/* Exponential, in a band of half to one and a half. */
static uint64_t back_off_ms(const struct registry *registry, unsigned count)
{
    uint64_t delay_ms = (uint64_t)registry->retry_base_ms << (count < 16 ? count : 16);
    uint64_t spread = 0;
    delay_ms = delay_ms < BACK_OFF_MAX_MS ? delay_ms : BACK_OFF_MAX_MS;
    if (getrandom(&spread, sizeof spread, 0) != (ssize_t)sizeof spread)
        spread = delay_ms / 2;
    return delay_ms / 2 + spread % (delay_ms + 1);
}

/* 429 and 503 are about all of us: nobody sends before the wait is over. */
static void hold_back_all(struct registry *registry, uint64_t until_ms)
{
    uint64_t before = atomic_load(registry->not_before_ms);
    while (before < until_ms && !atomic_compare_exchange_weak(registry->not_before_ms, &before, until_ms))
        ;
}

/* A wait that is asked for is not taken for granted when it is too long: the next answer will tell. */
void registry_heed(struct registry *registry, const struct exchange *answer)
{
    bool is_about_all = answer->status == 429 || answer->status == 503;
    if (is_about_all && answer->retry_after_s <= RETRY_AFTER_MAX_S)
        hold_back_all(registry, clock_ms() + (uint64_t)answer->retry_after_s * 1000);
}

bool registry_back_off(struct registry *registry, struct retry *retry, unsigned retry_after_s, struct err *err)
{
    if (err->kind == ERR_CANCELLED)
        return false;
    if (retry_after_s > RETRY_AFTER_MAX_S) {
        err_wrap(err, "asked to wait %u s", retry_after_s);
        return false;
    }
    if (retry->count >= registry->options->retries) {
        err_wrap(err, retry->count ? "after %u tries" : "after %u try", retry->count + 1);
        return false;
    }
    uint64_t delay_ms = back_off_ms(registry, retry->count++);
    uint64_t asked_ms = (uint64_t)retry_after_s * 1000;
    delay_ms = delay_ms > asked_ms ? delay_ms : asked_ms;
    if (err->detail == 429 || err->detail == 503)
        hold_back_all(registry, clock_ms() + delay_ms);
    if (registry->options->log)
        log_line(registry->options->log, LOG_NORMAL, "%s; trying again in %s (%u of %u)", err->text,
                 units_duration(delay_ms).chars, retry->count, registry->options->retries);
    if (!registry_sleep(registry, delay_ms, err))
        return false;
    err_clear(err);
    return true;
}
