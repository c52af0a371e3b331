/* SPDX-License-Identifier: Apache-2.0 */
/* registry_wire.h - exchanges with a registry, as one process asks the other for them (private to registry/)
 *
 * Threads: no shared state.
 */
#ifndef IMGFACTORY_REGISTRY_REGISTRY_WIRE_H
#define IMGFACTORY_REGISTRY_REGISTRY_WIRE_H

#include "io/http_wire.h"
#include "registry/registry_parts.h"

/* How it is sent. */
enum registry_sending {
    SENDING_WHOLE, /* registry_exchange() */
    SENDING_ONCE,  /* registry_send_once() */
};

/* What goes with an exchange besides. */
struct registry_wired_exchange {
    uint64_t remote; /* the number of the repository */
    enum registry_sending sending;
    bool is_ending_late;
    uint64_t not_before_ms;   /* clock_ms(), which all processes share */
    bool has_store;           /* the answer's body is for a store */
    struct store_name store;  /* with has_store */
    struct exchange exchange; /* but its body, when that is a descriptor, and its counters */
};
/* Writes it; the exchange's store is written by its name. */
void registry_wire_put_exchange(struct wire_writer *writer, const struct registry_wired_exchange *wired);
/* Reads it, with memory in the arena. False: it is none. */
bool registry_wire_get_exchange(struct wire_reader *reader, struct arena *arena,
                                struct registry_wired_exchange *ret_wired) MUST_CHECK;

/* What became of it. */
struct registry_wired_answer {
    bool is_good;
    struct err err;
    int scheme;
    bool has_answered, has_credential;
    uint64_t not_before_ms;
    struct http_counted counted;
};
/* Writes it, with the answer that is in the exchange. */
void registry_wire_put_answer(struct wire_writer *writer, const struct registry_wired_answer *wired,
                              const struct exchange *exchange);
/* Reads it, the answer into the exchange, which had none. False: it is no answer. */
bool registry_wire_get_answer(struct wire_reader *reader, struct registry_wired_answer *ret_wired,
                              struct exchange *exchange) MUST_CHECK;

/* A repository that is to be opened. */
struct registry_wired_open {
    unsigned number;  /* of the struct http */
    const char *name; /* "host/repository"; "host/" for the registry itself */
    enum registry_access access;
    bool is_verify_off, is_other_there;
    unsigned retries, retry_base_ms, deadline_ms;
    struct strings together; /* repositories of the host that the call works on */
};
/* Writes it. */
void registry_wire_put_open(struct wire_writer *writer, const struct registry_wired_open *wired);
/* Reads it, with memory in the arena. False: it is none. */
bool registry_wire_get_open(struct wire_reader *reader, struct arena *arena,
                            struct registry_wired_open *ret_wired) MUST_CHECK;

#endif
