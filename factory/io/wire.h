/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h - what two processes of one program say to each other: numbers and bytes, read with bounds
 *
 * Both ends are the same program, so numbers have this machine's order. Who reads may be told anything by the other end:
 * a message that breaks off or goes on where it should not is seen as bad once, at the end (wire_is_good()), and reads as
 * zeros and empty texts until then.
 * Threads: no shared state.
 * Owns: a writer its bytes, until wire_done().
 */
#ifndef IMGFACTORY_IO_WIRE_H
#define IMGFACTORY_IO_WIRE_H

#include "base/text.h"

/* A message that is written. */
struct wire_writer {
    struct buf bytes;
    bool is_full; /* it has become longer than it may be */
};

/* A message that is read; its texts point into the bytes. */
struct wire_reader {
    struct text rest;
    bool is_bad;
};

/* Begins a message of at most so many bytes. */
void wire_begin(struct wire_writer *writer, size_t cap_bytes);
/* Appends a number. */
void wire_put(struct wire_writer *writer, uint64_t number);
/* Appends bytes of any length. */
void wire_put_text(struct wire_writer *writer, struct text bytes);
/* Appends a string, or that there is none (NULL). */
void wire_put_string(struct wire_writer *writer, const char *string);
/* Appends a list of strings. */
void wire_put_strings(struct wire_writer *writer, const char *const *strings, size_t count);
/* Appends bytes of a length that both ends know. */
void wire_put_raw(struct wire_writer *writer, const void *bytes, size_t len);
/* Wipes and frees: there may be secrets in it. For AUTO(). */
void wire_done(struct wire_writer *writer);

/* Appends an error, or that there is none. */
void wire_put_err(struct wire_writer *writer, const struct err *err);

/* Reads a number. */
uint64_t wire_get(struct wire_reader *reader);
/* Reads a number that is at most `most`; more is bad, and 0. */
uint64_t wire_get_below(struct wire_reader *reader, uint64_t most);
/* Reads bytes; they are the message's. */
struct text wire_get_text(struct wire_reader *reader);
/* Reads a string into the arena, or NULL; one with a zero byte in it is bad. */
const char *wire_get_string(struct wire_reader *reader, struct arena *arena);
/* Reads a list of at most `most` strings, none of which may be NULL, into the arena. */
const char *const *wire_get_strings(struct wire_reader *reader, struct arena *arena, size_t most, size_t *ret_count);
/* Reads bytes of a length that both ends know; zeros when they are not there. */
void wire_get_raw(struct wire_reader *reader, void *ret_bytes, size_t len);
/* Reads an error. */
void wire_get_err(struct wire_reader *reader, struct err *ret_err);
/* Returns whether all of it was there, and nothing more. */
bool wire_is_good(const struct wire_reader *reader) MUST_CHECK;

#endif
