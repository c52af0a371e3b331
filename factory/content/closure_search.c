#include "content/closure_search.h"

#include "base/auto.h"
#include "content/path.h"

#include <elf.h>

bool elf_is_for(const struct elf_facts *elf, const struct arch *arch)
{
    return elf->machine == arch->elf_machine && elf->elf_class == arch->elf_class &&
           elf->is_big_endian == arch->is_big_endian;
}

const char *elf_describe(struct arena *arena, uint16_t machine, uint8_t elf_class, bool is_big_endian)
{
    static const struct {
        uint16_t machine;
        const char *name;
    } known[] = {
        {EM_386, "i386"},    {EM_X86_64, "x86-64"},       {EM_ARM, "ARM"},     {EM_AARCH64, "AArch64"},
        {EM_PPC, "PowerPC"}, {EM_PPC64, "PowerPC64"},     {EM_S390, "S/390"},  {EM_RISCV, "RISC-V"},
        {EM_MIPS, "MIPS"},   {EM_SPARCV9, "SPARC V9"},    {EM_IA_64, "IA-64"}, {EM_68K, "m68k"},
        {EM_BPF, "BPF"},     {EM_LOONGARCH, "LoongArch"},
    };
    const char *name = arena_printf(arena, "machine %u", (unsigned)machine);
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        if (known[i].machine == machine)
            name = known[i].name;
    }
    return arena_printf(arena, "%s (%u-bit, %s-endian)", name, (unsigned)elf_class, is_big_endian ? "big" : "little");
}

/* Returns the length of token `name` at `at` (behind the '$'), braces included, or 0: is_dst() of dl-load.c. */
static size_t token_length(struct text at, const char *name)
{
    bool has_brace = at.len && at.ptr[0] == '{';
    size_t len = strlen(name);
    if (has_brace)
        at = (struct text){at.ptr + 1, at.len - 1};
    if (!text_has_prefix(at, name))
        return 0;
    char next = at.len > len ? at.ptr[len] : '\0';
    if (has_brace)
        return next == '}' ? len + 2 : 0;
    bool goes_on = (next >= 'A' && next <= 'Z') || (next >= 'a' && next <= 'z') || (next >= '0' && next <= '9');
    return goes_on || next == '_' ? 0 : len;
}

/* Expands the token at `at`: its length, 0 when it is none; *ret_value is NULL when it has no value. */
static size_t expand_token(const struct search *search, const char *origin, struct text at, const char **ret_value)
{
    const struct {
        const char *name, *value;
    } tokens[] = {{"ORIGIN", origin}, {"LIB", search->arch->lib_token}, {"PLATFORM", search->arch->platform_token}};
    for (size_t i = 0; i < ARRAY_COUNT(tokens); i++) {
        size_t len = token_length(at, tokens[i].name);
        if (len) {
            *ret_value = tokens[i].value;
            return len;
        }
    }
    return 0;
}

const char *search_expand(const struct search *search, const char *origin, struct text text)
{
    if (!text.len || !memchr(text.ptr, '$', text.len))
        return text_dup(search->arena, text);
    struct buf result AUTO(buf_done);
    buf_init(&result, PATH_MAX_BYTES);
    for (size_t i = 0; i < text.len; i++) {
        const char *value = NULL;
        struct text behind = {text.ptr + i + 1, text.len - i - 1};
        size_t len = text.ptr[i] == '$' ? expand_token(search, origin, behind, &value) : 0;
        if (len && !value)
            return NULL;
        bool fits = len ? buf_add(&result, value, strlen(value)) : buf_add(&result, text.ptr + i, 1);
        if (!fits)
            return NULL; /* no such path can exist */
        i += len;
    }
    return arena_strndup(search->arena, result.bytes, result.len);
}

struct loaded *search_loaded(const struct load_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        struct loaded *object = list->items[i];
        if (strings_has(&object->names, name))
            return object;
        if (object->elf->soname && strcmp(object->elf->soname, name) == 0)
            return object;
    }
    return NULL;
}

static bool refuse(const struct sourced *file, const char *name, const struct loaded *loader, const char *reason,
                   struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s (package %s), needed by %s as %s: %s", file->entry->path, file->package->name,
            loader->file->entry->path, name, reason);
    return false;
}

/* Tries one path. A file for another machine is passed over, as by the loader; a broken one stops the loader. */
static bool try_path(const struct search *search, const struct loaded *loader, const char *name, const char *path,
                     struct found *ret_found, struct err *err)
{
    struct sourced_list links = {0};
    const struct sourced *file = fileset_walk(search->set, search->arena, path, &links, NULL);
    if (!file || file->entry->kind == ENTRY_DIRECTORY)
        return true;
    const struct entry *content = sourced_content(file);
    if (!content || !content->elf)
        return refuse(file, name, loader, "it is no ELF file, the loader would stop at it", err);
    const struct elf_facts *elf = content->elf;
    if (elf->machine && !elf_is_for(elf, search->arch))
        return true;
    if (elf->broken)
        return refuse(file, name, loader, arena_printf(search->arena, "broken ELF: %s", elf->broken), err);
    if (elf->type != ET_DYN && elf->type != ET_EXEC)
        return refuse(file, name, loader, "it is neither a shared object nor an executable", err);
    *ret_found = (struct found){.file = file, .content = content, .links = links};
    return true;
}

static bool try_dir(const struct search *search, const struct loaded *loader, const char *dir, const char *name,
                    struct found *ret_found, struct err *err)
{
    const char *path = arena_printf(search->arena, "%s/%s", dir, name);
    if (!try_path(search, loader, name, path, ret_found, err))
        return false;
    if (ret_found->file)
        ret_found->origin = *dir ? dir : "/";
    return true;
}

/* Searches a DT_RPATH or DT_RUNPATH of `owner`. Empty and relative entries mean the current directory, which an image
 * does not have a say in: they are left out. */
static bool try_path_list(const struct search *search, const struct loaded *loader, const struct loaded *owner,
                          const char *list, const char *name, struct found *ret_found, struct err *err)
{
    struct text rest = text_of(list), part;
    while (!ret_found->file && text_next(&rest, ':', &part)) {
        const char *dir = search_expand(search, owner->origin, part);
        if (!dir || *dir != '/')
            continue;
        size_t len = strlen(dir);
        while (len && dir[len - 1] == '/')
            len--;
        if (!try_dir(search, loader, arena_strndup(search->arena, dir, len), name, ret_found, err))
            return false;
    }
    return true;
}

/* RPATH of the object and of those that loaded it; a RUNPATH beside an RPATH switches that RPATH off. */
static bool try_rpaths(const struct search *search, const struct loaded *loader, const char *name,
                       struct found *ret_found, struct err *err)
{
    if (loader->elf->runpath)
        return true;
    for (const struct loaded *owner = loader; owner && !ret_found->file; owner = owner->loader) {
        if (owner->elf->rpath && !owner->elf->runpath &&
            !try_path_list(search, loader, owner, owner->elf->rpath, name, ret_found, err))
            return false;
    }
    return true;
}

static bool try_default_dirs(const struct search *search, const struct loaded *loader, const char *name,
                             struct found *ret_found, struct err *err)
{
    const struct strings *dirs = &search->arch->library_dirs;
    for (size_t i = 0; i < dirs->count && !ret_found->file; i++) {
        if (!try_dir(search, loader, dirs->items[i], name, ret_found, err))
            return false;
    }
    return true;
}

bool search_library(const struct search *search, const struct loaded *loader, const char *name, struct found *ret_found,
                    struct err *err)
{
    *ret_found = (struct found){0};
    if (strchr(name, '/')) {
        if (*name != '/')
            return true; /* below the current directory */
        if (!try_path(search, loader, name, name, ret_found, err))
            return false;
        if (ret_found->file)
            ret_found->origin = path_dirname(search->arena, name);
        return true;
    }
    if (!*name)
        return true;
    if (!try_rpaths(search, loader, name, ret_found, err))
        return false;
    if (!ret_found->file && loader->elf->runpath &&
        !try_path_list(search, loader, loader, loader->elf->runpath, name, ret_found, err))
        return false;
    if (!ret_found->file && !loader->elf->has_nodeflib)
        return try_default_dirs(search, loader, name, ret_found, err);
    return true;
}
