/* SPDX-License-Identifier: Apache-2.0 */
/* past_document.h - what is known of a published image as one document, that a registry keeps beside it (`history: registry`)
 *
 * Lines of JSON, as one zstd frame: the record (past_record.h), then the bill of each platform that has one. An artifact of
 * PAST_DOCUMENT_TYPE whose subject is the image's index.
 * Threads: no state.
 * Owns: nothing; what is read lives in the arena given.
 */
#ifndef IMGFACTORY_PAST_PAST_DOCUMENT_H
#define IMGFACTORY_PAST_PAST_DOCUMENT_H

#include "past/past.h"

#define PAST_DOCUMENT_TYPE "application/vnd.imgfactory.bills.v1.jsonl+zstd"
#define PAST_DOCUMENT_MAX_BYTES ((size_t)4 << 20) /* as it is sent */
#define PAST_DOCUMENT_MAX_PLAIN ((size_t)256 << 20)

/* Makes the document of a note, whose bills are read whole or by their heads; false when it is bigger than one may be. */
bool past_document_make(const struct past_note *note, struct buf *ret_document) MUST_CHECK;
/* Reads one into a note; false when it is none. Its bills are those of the record's platforms, NULL where it has none. */
bool past_document_read(struct arena *arena, struct text document, struct past_note *ret_note) MUST_CHECK;

#endif
