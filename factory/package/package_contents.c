/* SPDX-License-Identifier: Apache-2.0 */
#include "package/package_contents.h"

#include "package/pack.h"
#include "package/script.h"

#include <sys/mman.h>
#include <unistd.h>

#define MAX_ELF_BYTES ((uint64_t)512 << 20)

/* Keeps the beginning of a file. */
static bool keep_run(struct buf *kept, struct text run)
{
    size_t room = kept->len < SCRIPT_HEAD_BYTES ? SCRIPT_HEAD_BYTES - kept->len : 0;
    return buf_add(kept, run.ptr, run.len < room ? run.len : room);
}

/* Reads an ELF file out of the blob: the pages are the ones that were just written. */
static void read_elf(struct file_contents *contents, struct elf_facts *facts)
{
    size_t before = (size_t)(contents->offset % (uint64_t)sysconf(_SC_PAGESIZE));
    size_t size = (size_t)contents->entry->size_bytes;
    char *mapped =
        mmap(NULL, before + size, PROT_READ, MAP_PRIVATE, contents->blob->fd, (off_t)(contents->offset - before));
    if (mapped == MAP_FAILED)
        memory_abort(size);
    elf_read(contents->arena, (struct text){mapped + before, size}, facts);
    (void)munmap(mapped, before + size);
}

/* Looks at the complete file. */
static void describe(struct file_contents *contents)
{
    struct text kept = buf_text(&contents->kept);
    struct entry *entry = contents->entry;
    if (!elf_is(kept)) {
        entry->interpreter = script_line(contents->arena, kept);
        return;
    }
    struct elf_facts *facts = arena_new(contents->arena, struct elf_facts);
    if (contents->blob->len - contents->offset != entry->size_bytes || entry->size_bytes > MAX_ELF_BYTES)
        facts->broken = "larger than 1 GiB";
    else
        read_elf(contents, facts);
    entry->elf = facts;
}

bool file_contents_begin(struct file_contents *contents, struct arena *arena, struct blob *blob, struct entry *entry,
                         struct err *err)
{
    *contents = (struct file_contents){.arena = arena, .blob = blob, .entry = entry};
    buf_init(&contents->kept, SCRIPT_HEAD_BYTES);
    digest_begin(&contents->stream);
    blob->is_apart = true; /* it has its own digest */
    if (!pack_align(blob, err))
        return false;
    contents->offset = blob->len;
    return true;
}

bool file_contents_feed(struct file_contents *contents, struct text run, struct err *err)
{
    uint64_t had = contents->blob->len - contents->offset;
    if (run.len > contents->entry->size_bytes - had || !keep_run(&contents->kept, run)) {
        err_set(err, ERR_MALFORMED, "entry %s is larger than it says", contents->entry->path);
        return false;
    }
    digest_feed(&contents->stream, run.ptr, run.len);
    return run.len == 0 || blob_write(contents->blob, run.ptr, run.len, err);
}

void file_contents_end(struct file_contents *contents)
{
    contents->entry->digest = digest_end(&contents->stream);
    describe(contents);
    file_contents_abandon(contents);
}

void file_contents_abandon(struct file_contents *contents)
{
    digest_abandon(&contents->stream);
    buf_done(&contents->kept);
}
