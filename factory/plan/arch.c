/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/arch.h"

#include "base/auto.h"
#include "plan/rules.h"

#include <elf.h>

/* An arch file as it is read. */
struct arch_form {
    struct arch arch;
    const struct yaml_node *root, *oci, *elf;
    const char *machine, *byte_order;
    uint64_t class_bits, cache_flags;
    const char *names[]; /* one for each key of the formats */
};

#define FIELD(type, key, member, is_required) YAML_FIELD(type, arch_form, key, member, is_required, ALTERS_ORDER)

static const struct yaml_field root_fields[] = {
    FIELD(YAML_NODE, "oci", oci, true),
    FIELD(YAML_NODE, "elf", elf, true),
    FIELD(YAML_STRING, "triplet", arch.triplet, true),
    FIELD(YAML_STRINGS, "loaders", arch.loaders, true),
    FIELD(YAML_STRINGS, "library-dirs", arch.library_dirs, true),
    FIELD(YAML_STRING, "lib-token", arch.lib_token, true),
    FIELD(YAML_STRING, "platform-token", arch.platform_token, true),
    FIELD(YAML_STRINGS, "hwcaps", arch.hwcaps, false),
    FIELD(YAML_NUMBER, "cache-flags", cache_flags, true),
    FIELD(YAML_STRINGS, "root-links", arch.root_links, true),
    FIELD(YAML_STRINGS, "machine-names", arch.machine_names, true),
};

static const struct yaml_field oci_fields[] = {
    FIELD(YAML_STRING, "os", arch.oci_os, true),
    FIELD(YAML_STRING, "architecture", arch.oci_architecture, true),
    FIELD(YAML_STRING, "variant", arch.oci_variant, false),
};

static const struct yaml_field elf_fields[] = {
    FIELD(YAML_STRING, "machine", machine, true),
    FIELD(YAML_NUMBER, "class", class_bits, true),
    FIELD(YAML_STRING, "byte-order", byte_order, true),
};

/* The machines that Linux distributions are built for; any other is written as its number. */
static const struct {
    const char *name;
    uint16_t number;
} machines[] = {
    {"EM_386", EM_386},       {"EM_68K", EM_68K},     {"EM_AARCH64", EM_AARCH64},     {"EM_ALPHA", EM_ALPHA},
    {"EM_ARM", EM_ARM},       {"EM_IA_64", EM_IA_64}, {"EM_LOONGARCH", EM_LOONGARCH}, {"EM_MIPS", EM_MIPS},
    {"EM_PARISC", EM_PARISC}, {"EM_PPC", EM_PPC},     {"EM_PPC64", EM_PPC64},         {"EM_RISCV", EM_RISCV},
    {"EM_S390", EM_S390},     {"EM_SH", EM_SH},       {"EM_SPARC", EM_SPARC},         {"EM_SPARCV9", EM_SPARCV9},
    {"EM_X86_64", EM_X86_64},
};

const char *arch_name(const struct arch *arch, const char *key)
{
    for (size_t i = 0; i < arch->names.count; i++) {
        if (strcmp(arch->names.items[i].key->key, key) == 0)
            return arch->names.items[i].name;
    }
    return NULL;
}

static bool read_machine(struct arena *arena, struct arch_form *form, struct err *err)
{
    const struct yaml_node *node = yaml_get(form->elf, "machine");
    struct strings known = {0};
    uint64_t number;
    for (size_t i = 0; i < ARRAY_COUNT(machines); i++) {
        list_add(arena, &known, machines[i].name);
        if (strcmp(machines[i].name, form->machine) == 0) {
            form->arch.elf_machine = machines[i].number;
            return true;
        }
    }
    if (text_parse_u64(text_of(form->machine), &number) && number >= 1 && number <= UINT16_MAX) {
        form->arch.elf_machine = (uint16_t)number;
        return true;
    }
    return yaml_fail(node, err, "'%s' is not an ELF machine: a number from 1 to 65535, or one of %s",
                     text_printable(arena, text_of(form->machine)), strings_join(arena, &known, ", "));
}

static bool read_elf(struct arena *arena, struct arch_form *form, struct err *err)
{
    if (!yaml_read(arena, form->elf, elf_fields, ARRAY_COUNT(elf_fields), form, err) || !read_machine(arena, form, err))
        return false;
    if (form->class_bits != 32 && form->class_bits != 64)
        return yaml_fail(yaml_get(form->elf, "class"), err, "'class' must be 32 or 64");
    form->arch.elf_class = (uint8_t)form->class_bits;
    form->arch.is_big_endian = strcmp(form->byte_order, "big") == 0;
    if (!form->arch.is_big_endian && strcmp(form->byte_order, "little") != 0)
        return yaml_fail(yaml_get(form->elf, "byte-order"), err, "'byte-order' must be little or big");
    return true;
}

static const char *why_not_usr_dir(const char *path)
{
    const char *why = rule_path(path);
    if (!why && strncmp(path, "/usr/", strlen("/usr/")) != 0)
        return "must be written below /usr (root-links lead there)";
    return why;
}

static const char *why_not_root_link(const char *name)
{
    return rule_is_arch_name(name) && !strchr(name, '/') ? NULL : "must be one name, such as lib64";
}

static const char *why_not_word(const char *word)
{
    return word[0] && rule_is_one_line(word, false) && !strpbrk(word, " /") ? NULL : "must be one word";
}

/* Checks every string of a list that must not be empty. */
static bool check_list(struct arena *arena, const struct arch_form *form, const char *key, const struct strings *list,
                       const char *(*why_not)(const char *), struct err *err)
{
    const struct yaml_node *node = yaml_get(form->root, key);
    if (!list->count)
        return yaml_fail(node, err, "'%s' must have at least one item", key);
    for (size_t i = 0; i < list->count; i++) {
        const char *why = why_not(list->items[i]);
        if (why)
            return yaml_fail(yaml_item(node, i), err, "'%s' %s", text_printable(arena, text_of(list->items[i])), why);
    }
    return true;
}

/* Checks a value unless it is absent. */
static bool check_word(const struct yaml_node *parent, const char *key, const char *word, struct err *err)
{
    const char *why = word ? why_not_word(word) : NULL;
    return !why || yaml_fail(yaml_get(parent, key), err, "'%s' %s", key, why);
}

static bool check_words(const struct arch_form *form, struct err *err)
{
    const struct arch *arch = &form->arch;
    const struct {
        const char *key, *word;
        const struct yaml_node *parent;
    } words[] = {
        {"os", arch->oci_os, form->oci},
        {"architecture", arch->oci_architecture, form->oci},
        {"variant", arch->oci_variant, form->oci},
        {"triplet", arch->triplet, form->root},
        {"platform-token", arch->platform_token, form->root},
    };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (!check_word(words[i].parent, words[i].key, words[i].word, err))
            return false;
    }
    for (size_t i = 0; i < arch->names.count; i++) {
        const struct arch_named *named = &arch->names.items[i];
        if (yaml_get(form->root, named->key->key) && !check_word(form->root, named->key->key, named->name, err))
            return false;
    }
    return true;
}

static bool check_arch(struct arena *arena, const struct arch_form *form, struct err *err)
{
    const struct arch *arch = &form->arch;
    if (arch->lib_token[0] == '/' || rule_path(arena_printf(arena, "/%s", arch->lib_token)))
        return yaml_fail(yaml_get(form->root, "lib-token"), err, "'lib-token' must be a relative path");
    if (form->cache_flags < 1 || form->cache_flags > UINT16_MAX)
        return yaml_fail(yaml_get(form->root, "cache-flags"), err, "'cache-flags' must be 1 to 65535");
    for (size_t i = 0; i < arch->hwcaps.count; i++) {
        if (why_not_word(arch->hwcaps.items[i]))
            return yaml_fail(yaml_item(yaml_get(form->root, "hwcaps"), i), err, "'hwcaps' must be words");
    }
    return check_words(form, err) && check_list(arena, form, "loaders", &arch->loaders, rule_path, err) &&
           check_list(arena, form, "library-dirs", &arch->library_dirs, why_not_usr_dir, err) &&
           check_list(arena, form, "root-links", &arch->root_links, why_not_root_link, err) &&
           check_list(arena, form, "machine-names", &arch->machine_names, why_not_word, err);
}

/* Reads the file's mapping, whose keys are ours and the formats'. */
static bool read_root(struct arena *arena, const struct arch_keys *keys, struct arch_form *form, struct err *err)
{
    LIST(struct yaml_field) fields = {0};
    for (size_t i = 0; i < ARRAY_COUNT(root_fields); i++)
        list_add(arena, &fields, root_fields[i]);
    for (size_t i = 0; i < keys->count; i++) {
        size_t offset = offsetof(struct arch_form, names) + i * sizeof form->names[0];
        list_add(arena, &fields,
                 ((struct yaml_field)YAML_ROW(YAML_STRING, keys->items[i]->key, offset, !keys->items[i]->otherwise,
                                              ALTERS_ORDER)));
    }
    if (!yaml_read(arena, form->root, fields.items, fields.count, form, err))
        return false;
    for (size_t i = 0; i < keys->count; i++)
        list_add(arena, &form->arch.names, ((struct arch_named){keys->items[i], form->names[i]}));
    for (size_t i = 0; i < keys->count; i++) {
        struct arch_named *named = &form->arch.names.items[i];
        if (!named->name)
            named->name = arch_name(&form->arch, named->key->otherwise);
    }
    return true;
}

static bool load_one(struct arena *arena, const char *path, const struct arch_keys *keys, struct arch *arch,
                     struct err *err)
{
    struct yaml_file *file;
    if (!yaml_load(arena, path, &file, err))
        return false;
    struct arch_form *form = arena_alloc(arena, sizeof *form + keys->count * sizeof form->names[0]);
    form->root = file->root;
    form->arch = (struct arch){.name = arch->name, .digest = file->digest};
    if (!form->root || !rule_is_arch_name(arch->name)) {
        err_set(err, ERR_USAGE, "%s:1:1: %s", path,
                form->root ? "the file's name cannot name an architecture: [a-z0-9][a-z0-9._-]*" : "the file is empty");
        return false;
    }
    if (!read_root(arena, keys, form, err) ||
        !yaml_read(arena, form->oci, oci_fields, ARRAY_COUNT(oci_fields), form, err) || !read_elf(arena, form, err) ||
        !check_arch(arena, form, err))
        return false;
    *arch = form->arch;
    arch->cache_flags = (uint32_t)form->cache_flags;
    return true;
}

static bool has_same_variant(const struct arch *a, const struct arch *b)
{
    return a->oci_variant && b->oci_variant ? strcmp(a->oci_variant, b->oci_variant) == 0
                                            : a->oci_variant == b->oci_variant;
}

/* One OCI platform can stand only once in an index, and a host is one architecture. */
static bool check_pair(const char *dir, const struct arch *a, const struct arch *b, struct err *err)
{
    if (strcmp(a->oci_os, b->oci_os) == 0 && strcmp(a->oci_architecture, b->oci_architecture) == 0 &&
        has_same_variant(a, b)) {
        err_set(err, ERR_USAGE, "%s: %s.yaml and %s.yaml have the same OCI platform %s/%s", dir, a->name, b->name,
                a->oci_os, a->oci_architecture);
        return false;
    }
    for (size_t i = 0; i < a->machine_names.count; i++) {
        if (strings_has(&b->machine_names, a->machine_names.items[i])) {
            err_set(err, ERR_USAGE, "%s: %s.yaml and %s.yaml both have the machine name %s", dir, a->name, b->name,
                    a->machine_names.items[i]);
            return false;
        }
    }
    return true;
}

bool arches_load(struct arena *arena, const char *dir, const struct arch_keys *keys, struct arches *ret_arches,
                 struct err *err)
{
    struct strings names;
    if (!yaml_stems(arena, dir, &names, err))
        return false;
    struct arches arches = {.items = arena_new_array(arena, struct arch, names.count), .count = names.count};
    if (!names.count) {
        err_set(err, ERR_USAGE, "%s: no architecture (NAME.yaml) there", dir);
        return false;
    }
    for (size_t i = 0; i < names.count; i++) {
        arches.items[i].name = names.items[i];
        if (!load_one(arena, arena_printf(arena, "%s/%s.yaml", dir, names.items[i]), keys, &arches.items[i], err))
            return false;
        for (size_t k = 0; k < i; k++) {
            if (!check_pair(dir, &arches.items[k], &arches.items[i], err))
                return false;
        }
    }
    *ret_arches = arches;
    return true;
}

/* Returns whether `name` is another name of the architecture: a format's, OCI as architecture[/variant] or
 * os/architecture[/variant]. */
static bool is_also_called(const struct arch *arch, const char *name)
{
    for (size_t i = 0; i < arch->names.count; i++) {
        if (arch->names.items[i].key->is_alias && strcmp(arch->names.items[i].name, name) == 0)
            return true;
    }
    size_t os_len = strlen(arch->oci_os), len = strlen(arch->oci_architecture);
    if (strncmp(name, arch->oci_os, os_len) == 0 && name[os_len] == '/')
        name += os_len + 1;
    if (strncmp(name, arch->oci_architecture, len) != 0)
        return false;
    if (!name[len])
        return true;
    return name[len] == '/' && arch->oci_variant && strcmp(name + len + 1, arch->oci_variant) == 0;
}

static void arch_names(const struct arches *arches, struct arena *arena, struct strings *ret_names)
{
    for (size_t i = 0; i < arches->count; i++)
        list_add(arena, ret_names, arches->items[i].name);
}

/* Says that a name is unknown, which ones are known, and which of the spellings is the nearest. */
static void fail_with_known(const char *what, const char *name, const struct strings *known,
                            const struct strings *spellings, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *shown = text_printable(&scratch, text_of(name)), *list = strings_join(&scratch, known, ", ");
    const char *nearest = text_nearest(name, spellings->items, spellings->count);
    if (nearest)
        err_set(err, ERR_USAGE, "unknown %s '%s'; did you mean '%s'? Known: %s", what, shown, nearest, list);
    else
        err_set(err, ERR_USAGE, "unknown %s '%s'; known: %s", what, shown, list);
}

static bool fail_unknown(const struct arches *arches, const char *name, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings known = {0}, spellings = {0};
    arch_names(arches, &scratch, &known);
    arch_names(arches, &scratch, &spellings);
    for (size_t i = 0; i < arches->count; i++) {
        const struct arch *arch = &arches->items[i];
        for (size_t k = 0; k < arch->names.count; k++) {
            if (arch->names.items[k].key->is_alias)
                list_add(&scratch, &spellings, arch->names.items[k].name);
        }
        list_add(&scratch, &spellings, arch->oci_architecture);
    }
    fail_with_known("architecture", name, &known, &spellings, err);
    return false;
}

bool arches_find(const struct arches *arches, const char *name, const struct arch **ret_arch, struct err *err)
{
    const struct arch *found = NULL;
    for (size_t i = 0; i < arches->count; i++) {
        if (strcmp(arches->items[i].name, name) == 0) {
            *ret_arch = &arches->items[i];
            return true;
        }
    }
    for (size_t i = 0; i < arches->count; i++) {
        if (!is_also_called(&arches->items[i], name))
            continue;
        if (found) {
            err_set(err, ERR_USAGE, "architecture '%s' can be %s or %s", name, found->name, arches->items[i].name);
            return false;
        }
        found = &arches->items[i];
    }
    if (!found)
        return fail_unknown(arches, name, err);
    *ret_arch = found;
    return true;
}

bool arches_of_machine(const struct arches *arches, const char *machine, const struct arch **ret_arch, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings known = {0};
    for (size_t i = 0; i < arches->count; i++) {
        if (strings_has(&arches->items[i].machine_names, machine)) {
            *ret_arch = &arches->items[i];
            return true;
        }
    }
    arch_names(arches, &scratch, &known);
    err_set(err, ERR_USAGE, "no architecture has this host's machine name '%s'; known: %s; name one with --arch",
            text_printable(&scratch, text_of(machine)), strings_join(&scratch, &known, ", "));
    return false;
}

bool arches_check_hwcaps(const struct arches *arches, const struct strings *names, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings known = {0};
    for (size_t i = 0; i < arches->count; i++) {
        for (size_t j = 0; j < arches->items[i].hwcaps.count; j++) {
            if (!strings_has(&known, arches->items[i].hwcaps.items[j]))
                list_add(&scratch, &known, arches->items[i].hwcaps.items[j]);
        }
    }
    for (size_t i = 0; i < names->count; i++) {
        if (strings_has(&known, names->items[i]))
            continue;
        fail_with_known("glibc-hwcaps directory", names->items[i], &known, &known, err);
        return false;
    }
    return true;
}
