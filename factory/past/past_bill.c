/* SPDX-License-Identifier: Apache-2.0 */
#include "past/past_bill.h"

#include "base/auto.h"
#include "base/map.h"
#include "formats/formats.h"
#include "past/past_zstd.h"

#include <stdlib.h>

#define HEAD "imgfactory bill in brief 1\n"
#define BASE_FIELDS 2
#define ITEM_FIELDS 7 /* of a package, and of a file */

/* --- writing --- */

static bool add_field(struct buf *buf, const char *field)
{
    const char *text = field ? field : "";
    return buf_add(buf, text, strlen(text) + 1);
}

static bool add_fields(struct buf *buf, char letter, const char *const *fields, size_t count)
{
    if (!buf_add(buf, &letter, 1))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!add_field(buf, fields[i]))
            return false;
    }
    return true;
}

/* Finds whose package a file is, by how its name ends. */
static const char *format_of(const struct bill_package *package)
{
    const struct format *format;
    for (size_t i = 0; (format = formats_at(i)) != NULL; i++) {
        if (package->url && text_has_suffix(text_of(package->url), format->file_ending))
            return format->name;
    }
    return NULL;
}

static bool add_base(struct buf *buf, const struct bill *bill)
{
    const struct digest_hex hex = bill->base ? digest_hex(&bill->base->manifest) : (struct digest_hex){{0}};
    const char *const fields[BASE_FIELDS] = {hex.chars, bill->base ? bill->base->name : NULL};
    return !bill->base || add_fields(buf, 'B', fields, BASE_FIELDS);
}

static bool add_packages(struct buf *buf, const struct bill *bill)
{
    for (size_t i = 0; i < bill->packages.count; i++) {
        const struct bill_package *package = &bill->packages.items[i];
        const char *const fields[ITEM_FIELDS] = {
            package->name,           package->version,   package->architecture,        package->source_package,
            package->source_version, format_of(package), package->has_given ? "1" : ""};
        if (!add_fields(buf, 'P', fields, ITEM_FIELDS))
            return false;
    }
    return true;
}

static bool add_file(struct buf *buf, const struct bill_file *file, const char *soname)
{
    static const char *const kinds[] = {
        [NODE_FILE] = "f", [NODE_DIRECTORY] = "d", [NODE_SYMLINK] = "l", [NODE_HARDLINK] = "h"};
    AUTO(arena_done) struct arena scratch = {0};
    const char *size = file->kind == NODE_FILE ? arena_printf(&scratch, "%ju", (uintmax_t)file->size_bytes) : "";
    const char *const fields[ITEM_FIELDS] = {file->path, kinds[file->kind], size,  file->package,
                                             file->why,  file->by,          soname};
    return add_fields(buf, 'F', fields, ITEM_FIELDS);
}

static bool add_files(struct buf *buf, const struct bill *bill)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct map sonames = {.arena = &scratch};
    for (size_t i = 0; i < bill->sonames.count; i++)
        map_set(&sonames, text_of(bill->sonames.items[i].path), (void *)bill->sonames.items[i].soname);
    for (size_t i = 0; i < bill->files.count; i++) {
        const struct bill_file *file = &bill->files.items[i];
        if (!add_file(buf, file, map_get(&sonames, text_of(file->path))))
            return false;
    }
    for (size_t i = 0; i < bill->directories.count; i++) {
        if (!add_file(buf, &bill->directories.items[i], NULL))
            return false;
    }
    return true;
}

bool past_bill_pack(const struct bill *bill, struct buf *ret_packed)
{
    AUTO(buf_done) struct buf plain;
    buf_init(&plain, PAST_BILL_MAX_BYTES);
    bool is_good = buf_add(&plain, HEAD, strlen(HEAD)) && add_base(&plain, bill) && add_packages(&plain, bill) &&
                   add_files(&plain, bill);
    if (is_good)
        past_zstd_pack(buf_text(&plain), ret_packed);
    return is_good;
}

/* --- reading --- */

void past_bill_close(struct past_bill *bill)
{
    free(bill->bytes);
    *bill = (struct past_bill){0};
}

/* Takes so many fields off the front. */
static bool take_fields(struct text *rest, const char **fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *end = rest->len ? memchr(rest->ptr, '\0', rest->len) : NULL;
        if (!end)
            return false;
        fields[i] = rest->ptr;
        rest->len -= (size_t)(end + 1 - rest->ptr);
        rest->ptr = end + 1;
    }
    return true;
}

/* Takes what it stands on off the front. */
static bool take_base(struct past_bill *bill)
{
    const char *fields[BASE_FIELDS];
    if (!bill->items.len || bill->items.ptr[0] != 'B')
        return true;
    bill->items = (struct text){bill->items.ptr + 1, bill->items.len - 1};
    bill->base_name = take_fields(&bill->items, fields, BASE_FIELDS) ? fields[1] : NULL;
    return bill->base_name && digest_parse(text_of(fields[0]), &bill->base);
}

bool past_bill_open(struct text packed, struct past_bill *ret_bill)
{
    char *bytes;
    struct text plain;
    *ret_bill = (struct past_bill){0};
    if (!past_zstd_unpack(packed, PAST_BILL_MAX_BYTES, &bytes, &plain))
        return false;
    if (!text_has_prefix(plain, HEAD)) {
        free(bytes);
        return false;
    }
    *ret_bill = (struct past_bill){.items = {plain.ptr + strlen(HEAD), plain.len - strlen(HEAD)}, .bytes = bytes};
    if (take_base(ret_bill))
        return true;
    past_bill_close(ret_bill);
    return false;
}

static bool read_file(const char *const *fields, struct past_file *ret_file)
{
    static const char letters[] = "fdlh";
    static const enum node_kind kinds[] = {NODE_FILE, NODE_DIRECTORY, NODE_SYMLINK, NODE_HARDLINK};
    const char *letter = fields[1][0] ? strchr(letters, fields[1][0]) : NULL;
    *ret_file = (struct past_file){
        .path = fields[0], .package = fields[3], .why = fields[4], .by = fields[5], .soname = fields[6]};
    if (!letter || (fields[2][0] && !text_parse_u64(text_of(fields[2]), &ret_file->size_bytes)))
        return false;
    ret_file->kind = kinds[letter - letters];
    return true;
}

enum past_item past_bill_next(struct text *rest, struct past_package *ret_package, struct past_file *ret_file)
{
    const char *fields[ITEM_FIELDS];
    char letter = rest->len ? rest->ptr[0] : '\0';
    if (letter != 'P' && letter != 'F')
        return PAST_END;
    rest->ptr++;
    rest->len--;
    if (!take_fields(rest, fields, ITEM_FIELDS))
        return PAST_END;
    if (letter == 'F')
        return read_file(fields, ret_file) ? PAST_FILE : PAST_END;
    *ret_package = (struct past_package){.name = fields[0],
                                         .version = fields[1],
                                         .architecture = fields[2],
                                         .source = fields[3],
                                         .source_version = fields[4],
                                         .format = fields[5],
                                         .has_given = fields[6][0] != '\0'};
    return PAST_PACKAGE;
}
