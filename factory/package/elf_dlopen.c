/* SPDX-License-Identifier: Apache-2.0 */
#include "package/elf_dlopen.h"

#include "base/auto.h"
#include "base/map.h"

#include <gelf.h>
#include <jansson.h>
#include <libelf.h>

#define NOTE_TYPE 0x407c0c0au
#define NOTE_OWNER "FDO"
#define NOTE_MAX_BYTES 65536
#define NEEDS_MAX 256
#define STRINGS_MAX 200
#define STRING_MAX_BYTES 200
#define OVERLAP_MAX 2 /* times the file's size: what all segments that are read may have; real ones lie side by side */

static void auto_elf_end(Elf **elf)
{
    (void)elf_end(*elf);
}

static void auto_json_decref(json_t **json)
{
    json_decref(*json);
}

static Elf *open_elf(struct text bytes)
{
    /* libelf wants a writable pointer but only reads: nothing here asks it for a change. */
    return elf_memory((char *)(uintptr_t)bytes.ptr, bytes.len);
}

static enum dlopen_policy priority_of(const char *name)
{
    if (name && strcmp(name, "required") == 0)
        return DLOPEN_REQUIRED;
    if (name && strcmp(name, "recommended") == 0)
        return DLOPEN_RECOMMENDED;
    return DLOPEN_SUGGESTED;
}

static const char *read_need(struct arena *arena, const json_t *json, struct dlopen_needs *needs)
{
    struct dlopen_need need = {.priority = priority_of(json_string_value(json_object_get(json, "priority")))};
    const json_t *sonames = json_object_get(json, "soname");
    const char *feature = json_string_value(json_object_get(json, "feature"));
    need.feature = feature ? text_printable(arena, text_of(feature)) : NULL;
    for (size_t i = 0; i < json_array_size(sonames) && i < NEEDS_MAX; i++) {
        const char *soname = json_string_value(json_array_get(sonames, i));
        if (!soname || !*soname || strlen(soname) > STRING_MAX_BYTES)
            return "a dlopen note has a soname that is none";
        list_add(arena, &need.sonames, arena_strdup(arena, soname));
    }
    if (!need.sonames.count)
        return "a dlopen note names no library";
    if (needs->count == NEEDS_MAX)
        return "more than 256 dlopen notes";
    list_add(arena, needs, need);
    return NULL;
}

static const char *read_note(struct arena *arena, struct text text, struct dlopen_needs *needs)
{
    if (text.len > NOTE_MAX_BYTES)
        return "a dlopen note is larger than 64 KiB";
    while (text.len && !text.ptr[text.len - 1])
        text.len--; /* the string's end and padding */
    AUTO(auto_json_decref) json_t *json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_array(json))
        return "a dlopen note is no JSON array";
    const char *why = NULL;
    for (size_t i = 0; !why && i < json_array_size(json); i++)
        why = read_need(arena, json_array_get(json, i), needs);
    return why;
}

/* Reads the notes of one PT_NOTE. libelf checks the sizes of each against the chunk. */
static const char *read_notes(struct arena *arena, Elf *elf, const GElf_Phdr *header, struct text bytes,
                              uint64_t *left_bytes, struct dlopen_needs *needs)
{
    if (header->p_offset > bytes.len || header->p_filesz > bytes.len - header->p_offset)
        return "a PT_NOTE lies outside the file";
    if (header->p_filesz > *left_bytes)
        return "its PT_NOTEs are together larger than the file";
    *left_bytes -= header->p_filesz;
    Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)header->p_offset, (size_t)header->p_filesz,
                                          header->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
    const char *why = NULL;
    size_t at = 0, name_at, text_at;
    GElf_Nhdr note;
    while (data && (at = gelf_getnote(data, at, &note, &name_at, &text_at)) > 0) {
        bool is_ours = note.n_type == NOTE_TYPE && note.n_namesz == sizeof NOTE_OWNER &&
                       memcmp((char *)data->d_buf + name_at, NOTE_OWNER, sizeof NOTE_OWNER) == 0;
        const char *broken =
            is_ours ? read_note(arena, (struct text){(char *)data->d_buf + text_at, note.n_descsz}, needs) : NULL;
        why = why ? why : broken;
    }
    return why;
}

const char *elf_dlopen_needs(struct arena *arena, struct text bytes, struct dlopen_needs *ret_needs)
{
    AUTO(auto_elf_end) Elf *elf = open_elf(bytes);
    size_t count = 0;
    uint64_t left_bytes = (uint64_t)bytes.len * OVERLAP_MAX;
    const char *why = NULL;
    *ret_needs = (struct dlopen_needs){0};
    if (!elf || elf_getphdrnum(elf, &count) != 0)
        return "its program headers cannot be read";
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_NOTE)
            continue;
        const char *broken = read_notes(arena, elf, &header, bytes, &left_bytes, ret_needs);
        why = why ? why : broken;
    }
    return why;
}

/* Returns whether a text is the file name of a shared object: "libfoo.so.1", "mod_x.so". */
static bool is_object_name(struct text name)
{
    const char *at = name.len > 4 ? memmem(name.ptr, name.len, ".so", 3) : NULL;
    if (!at || at == name.ptr || memchr(name.ptr, '/', name.len) || memchr(name.ptr, '%', name.len) ||
        memchr(name.ptr, ' ', name.len))
        return false;
    size_t behind = name.len - (size_t)(at + 3 - name.ptr);
    return !behind || at[3] == '.';
}

/* Returns whether a path lies in a directory of libraries, deeper than that directory itself, and may be a plug-in or a
 * directory of them: "/usr/lib/sasl2", not "/usr/lib/ssl/cert.pem". */
static bool is_library_path(struct text path)
{
    const char *slash = memrchr(path.ptr, '/', path.len);
    struct text name = {slash + 1, path.len - (size_t)(slash + 1 - path.ptr)};
    if (memchr(path.ptr, '%', path.len) || (memchr(name.ptr, '.', name.len) && !is_object_name(name)))
        return false;
    static const char *const dirs[] = {"/usr/lib/", "/usr/lib64/", "/lib/", "/lib64/", "/usr/libexec/"};
    for (size_t i = 0; i < ARRAY_COUNT(dirs); i++) {
        if (text_has_prefix(path, dirs[i]))
            return path.len > strlen(dirs[i]);
    }
    return false;
}

static bool is_plugin_text(struct text text)
{
    if (text.len < 5 || text.len > STRING_MAX_BYTES)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= 0x20 || text.ptr[i] >= 0x7F)
            return false;
    }
    return text.ptr[0] == '/' ? is_library_path(text) : is_object_name(text);
}

void elf_plugin_strings(struct arena *arena, struct text bytes, struct strings *ret_strings)
{
    AUTO(auto_elf_end) Elf *elf = open_elf(bytes);
    struct map seen = {.arena = arena};
    struct strings strings = {0};
    uint64_t left_bytes = (uint64_t)bytes.len * OVERLAP_MAX;
    size_t count = 0;
    if (elf && elf_getphdrnum(elf, &count) != 0)
        count = 0;
    for (size_t i = 0; elf && i < count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_LOAD || header.p_offset > bytes.len ||
            header.p_filesz > bytes.len - header.p_offset)
            continue;
        if (header.p_filesz > left_bytes)
            break;
        left_bytes -= header.p_filesz;
        struct text rest = {bytes.ptr + header.p_offset, (size_t)header.p_filesz}, part;
        while (strings.count < STRINGS_MAX && text_next(&rest, '\0', &part)) {
            if (is_plugin_text(part) && map_add(&seen, part, (void *)part.ptr))
                list_add(arena, &strings, text_dup(arena, part));
        }
    }
    *ret_strings = strings;
}
