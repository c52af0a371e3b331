/* SPDX-License-Identifier: Apache-2.0 */
#include "package/package_contents.h"

#include "package/pack.h"
#include "package/script.h"

#define MAGIC_BYTES 4
#define MAX_ELF_BYTES ((uint64_t)512 << 20)

/* Keeps what must be looked at when the file is complete: all of an ELF file, the beginning of any other. */
static bool keep_run(struct buf *kept, struct text run, uint64_t size_bytes)
{
    if (kept->len < MAGIC_BYTES) {
        size_t take = MAGIC_BYTES - kept->len < run.len ? MAGIC_BYTES - kept->len : run.len;
        if (!buf_add(kept, run.ptr, take))
            return false;
        run = (struct text){run.ptr + take, run.len - take};
    }
    if (!elf_is(buf_text(kept)) || size_bytes > MAX_ELF_BYTES) {
        size_t room = kept->len < SCRIPT_HEAD_BYTES ? SCRIPT_HEAD_BYTES - kept->len : 0;
        run.len = run.len < room ? run.len : room;
    } else if (!buf_reserve(kept, (size_t)size_bytes - kept->len)) {
        return false;
    }
    return buf_add(kept, run.ptr, run.len);
}

/* Looks at what was kept of the complete file. */
static void describe(struct arena *arena, struct text kept, struct entry *entry)
{
    if (!elf_is(kept)) {
        entry->interpreter = script_line(arena, kept);
        return;
    }
    struct elf_facts *facts = arena_new(arena, struct elf_facts);
    if (kept.len == entry->size_bytes)
        elf_read(arena, kept, facts);
    else
        facts->broken = "larger than 1 GiB";
    entry->elf = facts;
}

bool file_contents_begin(struct file_contents *contents, struct arena *arena, struct blob *blob, struct entry *entry,
                         struct err *err)
{
    *contents = (struct file_contents){.arena = arena, .blob = blob, .entry = entry};
    buf_init(&contents->kept, (size_t)entry->size_bytes);
    digest_begin(&contents->stream);
    if (!pack_align(blob, err))
        return false;
    contents->offset = blob->len;
    return true;
}

bool file_contents_feed(struct file_contents *contents, struct text run, struct err *err)
{
    if (!keep_run(&contents->kept, run, contents->entry->size_bytes)) {
        err_set(err, ERR_MALFORMED, "entry %s is larger than it says", contents->entry->path);
        return false;
    }
    digest_feed(&contents->stream, run.ptr, run.len);
    return run.len == 0 || blob_write(contents->blob, run.ptr, run.len, err);
}

void file_contents_end(struct file_contents *contents)
{
    contents->entry->digest = digest_end(&contents->stream);
    describe(contents->arena, buf_text(&contents->kept), contents->entry);
    file_contents_abandon(contents);
}

void file_contents_abandon(struct file_contents *contents)
{
    digest_abandon(&contents->stream);
    buf_done(&contents->kept);
}
