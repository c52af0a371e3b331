/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a message between the two processes (io/wire.h) are read or refused, in both directions; what the broker reads
 * of the other process, which may be an attacker's, can be written, and read again. The first byte says what it is. */
#include "fuzz.h"

#include "io/http_wire.h"
#include "registry/registry_shared.h"
#include "registry/registry_wire.h"
#include "sign/signer_wire.h"

#include <stdlib.h>

static void read_request(struct wire_reader *reader)
{
    struct http_wired wired = {0}, again = {0};
    AUTO(wire_done) struct wire_writer writer;
    wire_begin(&writer, PTRDIFF_MAX / 2);
    if (http_wire_get_request(reader, &wired) && !wired.has_store) {
        http_wire_put_request(&writer, &wired.request);
        struct wire_reader back = {buf_text(&writer.bytes), false};
        if (!http_wire_get_request(&back, &again))
            abort();
        arena_done(&again.arena);
    }
    arena_done(&wired.arena);
}

static void read_answer(struct wire_reader *reader)
{
    const char *urls[] = {"https://one.invalid/a", "https://two.invalid/a"};
    struct http_request request = {.urls = urls, .url_count = ARRAY_COUNT(urls), .cap_bytes = 100};
    struct http_counted counted = {0};
    (void)!http_wire_get_answer(reader, &request, &counted);
    buf_done(&request.body);
}

static void read_open(struct wire_reader *reader, struct arena *arena)
{
    struct registry_wired_open open, again;
    AUTO(wire_done) struct wire_writer writer;
    wire_begin(&writer, PTRDIFF_MAX / 2);
    if (!registry_wire_get_open(reader, arena, &open))
        return;
    registry_wire_put_open(&writer, &open);
    struct wire_reader back = {buf_text(&writer.bytes), false};
    if (!registry_wire_get_open(&back, arena, &again))
        abort();
}

static void read_exchange(struct wire_reader *reader, struct arena *arena)
{
    struct registry_wired_exchange wired = {0};
    (void)!registry_wire_get_exchange(reader, arena, &wired);
}

static void read_exchanged(struct wire_reader *reader)
{
    struct registry_wired_answer answer;
    struct exchange exchange = {.method = "GET", .path = "manifests/v1"};
    (void)!registry_wire_get_answer(reader, &answer, &exchange);
    exchange_done(&exchange);
}

static void read_signing(struct wire_reader *reader)
{
    AUTO(buf_done) struct buf bytes = {0};
    struct err err = {0};
    (void)!signer_wire_get_bytes(reader, -1, &bytes, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    struct wire_reader reader = {{(const char *)bytes + 1, len ? len - 1 : 0}, false};
    switch (len ? bytes[0] : 0) {
    case 0:
        read_request(&reader);
        break;
    case 1:
        read_open(&reader, &arena);
        break;
    case 2:
        read_exchange(&reader, &arena);
        break;
    case 3:
        read_answer(&reader);
        break;
    case 4:
        read_exchanged(&reader);
        break;
    default:
        read_signing(&reader);
    }
    arena_done(&arena);
    return 0;
}
