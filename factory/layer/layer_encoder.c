/* Who compresses the layers: what a layer's bytes depend on besides its tar. */
#include "layer/layer.h"
#include "layer/layer_codec.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>

/* The object that holds an address, as the loader has mapped it. */
struct finding {
    uintptr_t address;
    struct digest_stream stream;
};

static bool holds(const struct dl_phdr_info *info, const ElfW(Phdr) * segment, uintptr_t address)
{
    uintptr_t start = (uintptr_t)info->dlpi_addr + segment->p_vaddr;
    return segment->p_type == PT_LOAD && address >= start && address - start < segment->p_memsz;
}

/* Feeds the object's code, which no relocation touches: the same bytes in every process. */
static int feed_code(struct dl_phdr_info *info, size_t size, void *closure)
{
    struct finding *finding = closure;
    bool is_it = false;
    (void)size;
    for (size_t i = 0; i < info->dlpi_phnum; i++)
        is_it = is_it || holds(info, &info->dlpi_phdr[i], finding->address);
    for (size_t i = 0; is_it && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_LOAD && (segment->p_flags & (PF_R | PF_W | PF_X)) == (PF_R | PF_X))
            digest_feed(&finding->stream, (const void *)((uintptr_t)info->dlpi_addr + segment->p_vaddr),
                        segment->p_filesz);
    }
    return is_it;
}

struct layer_encoder layer_encoder(enum layer_compression compression)
{
    const struct codec *codec = codec_of(compression);
    struct layer_encoder encoder;
    struct finding finding = {.address = (uintptr_t)dlsym(RTLD_DEFAULT, codec->symbol)};
    (void)snprintf(encoder.name, sizeof encoder.name, "%s %s level %d", codec->library, codec->version(), codec->level);
    digest_begin(&finding.stream);
    if (finding.address)
        (void)dl_iterate_phdr(feed_code, &finding);
    encoder.code = digest_end(&finding.stream);
    return encoder;
}
