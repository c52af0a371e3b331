/* SPDX-License-Identifier: Apache-2.0 */
#include "base/loaded.h"

#include <link.h>
#include <string.h>

struct looking {
    uintptr_t address;      /* the object that holds it, or */
    const char *name_start; /* those whose file name begins so; NULL: by address */
    struct digest_stream *stream;
};

static bool holds(const struct dl_phdr_info *info, uintptr_t address)
{
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = (uintptr_t)info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && address >= start && address - start < segment->p_memsz)
            return true;
    }
    return false;
}

static const char *file_name(const struct dl_phdr_info *info)
{
    const char *slash = strrchr(info->dlpi_name, '/');
    return slash ? slash + 1 : info->dlpi_name;
}

static int feed_object(struct dl_phdr_info *info, size_t size, void *closure)
{
    const struct looking *looking = closure;
    const char *name = file_name(info), *start = looking->name_start;
    (void)size;
    if (start ? strncmp(name, start, strlen(start)) != 0 : !holds(info, looking->address))
        return 0;
    if (start)
        digest_feed(looking->stream, name, strlen(name) + 1);
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_LOAD && (segment->p_flags & (PF_R | PF_W)) == PF_R)
            digest_feed(looking->stream, (const void *)((uintptr_t)info->dlpi_addr + segment->p_vaddr),
                        segment->p_filesz);
    }
    return 0;
}

void loaded_feed_holder(uintptr_t address, struct digest_stream *stream)
{
    struct looking looking = {.address = address, .stream = stream};
    (void)dl_iterate_phdr(feed_object, &looking);
}

void loaded_feed_libraries(const char *name_start, struct digest_stream *stream)
{
    struct looking looking = {.name_start = name_start, .stream = stream};
    (void)dl_iterate_phdr(feed_object, &looking);
}
