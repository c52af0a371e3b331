/* SPDX-License-Identifier: Apache-2.0 */
/* config.json.template: what an OCI runtime is given (runtime-spec 1.0: config.md, config-linux.md). */
#include "system/system_lint_parts.h"

#include "oci/config_read.h"
#include "package/path.h"
#include "plan/contract.h"

/* A judgement of one file. */
struct config_lint {
    struct lint *lint;
    const char *file;
};

static void fault(const struct config_lint *self, const char *place, const char *text)
{
    system_find(self->lint->findings, false, self->file, place, "%s", text);
}

static void note(const struct config_lint *self, const char *place, const char *text)
{
    system_find(self->lint->findings, true, self->file, place, "%s", text);
}

static const char *item(const struct config_lint *self, const char *above, size_t index, const char *below)
{
    return arena_printf(self->lint->arena, "%s/%zu%s", above, index, below);
}

static bool is_version(const char *version)
{
    return version && version[0] == '1' && version[1] == '.' && version[strspn(version, "0123456789.")] != '.';
}

static void check_root(const struct config_lint *self, const json_t *config)
{
    const json_t *root = json_object_get(config, "root");
    const char *path = json_string_value(json_object_get(root, "path")),
               *version = json_string_value(json_object_get(config, "ociVersion"));
    if (!is_version(version))
        fault(self, "/ociVersion", "must be a version of the runtime specification, as in \"1.0.2\"");
    if (!path || strcmp(path, "rootfs") != 0)
        fault(self, "/root/path", "must be \"rootfs\"");
    if (!json_is_true(json_object_get(root, "readonly")))
        fault(self, "/root/readonly", "must be true");
}

static void check_env(const struct config_lint *self, const json_t *env)
{
    bool has_name = false;
    json_t *value;
    size_t i;
    json_array_foreach((json_t *)env, i, value)
    {
        const char *text = json_string_value(value);
        if (!text || text[0] == '=' || !strchr(text, '='))
            fault(self, item(self, "/process/env", i, ""), "must be NAME=VALUE");
        else
            has_name = has_name || strcmp(text, "NAME=" SYSTEM_LINT_NAME) == 0;
    }
    if (env && !json_is_array(env))
        fault(self, "/process/env", "must be a list");
    if (!has_name)
        fault(self, "/process/env", "has no NAME=$NAME");
}

static void check_capabilities(const struct config_lint *self, const json_t *sets)
{
    static const char *const names[] = {"bounding", "effective", "inheritable", "permitted", "ambient"};
    const char *key;
    json_t *list, *value;
    size_t i;
    if (!sets)
        return;
    if (!json_is_object(sets)) {
        fault(self, "/process/capabilities",
              "must be an object of the five sets bounding, effective, inheritable, "
              "permitted and ambient");
        return;
    }
    for (size_t j = 0; j < ARRAY_COUNT(names); j++) {
        if (!json_object_get(sets, names[j]))
            fault(self, arena_printf(self->lint->arena, "/process/capabilities/%s", names[j]),
                  "is missing: write all five sets, empty ones too");
    }
    json_object_foreach((json_t *)sets, key, list)
    {
        const char *place = arena_printf(self->lint->arena, "/process/capabilities/%s", key);
        bool is_set = false;
        for (size_t j = 0; j < ARRAY_COUNT(names); j++)
            is_set = is_set || (json_is_array(list) && strcmp(names[j], key) == 0);
        if (!is_set)
            fault(self, place,
                  "is no set of capabilities: a list called bounding, effective, inheritable, permitted or "
                  "ambient");
        json_array_foreach(list, i, value)
        {
            const char *name = json_string_value(value);
            if (!name || strncmp(name, "CAP_", 4) != 0 || !contract_is_capability(name + 4))
                fault(self, item(self, place, i, ""), "is no capability of the kernel (\"CAP_NET_RAW\")");
        }
    }
}

static void check_rlimits(const struct config_lint *self, const json_t *limits)
{
    json_t *limit;
    size_t i;
    json_array_foreach((json_t *)limits, i, limit)
    {
        const char *type = json_string_value(json_object_get(limit, "type"));
        if (!type || strncmp(type, "RLIMIT_", 7) != 0 || !json_is_integer(json_object_get(limit, "soft")) ||
            !json_is_integer(json_object_get(limit, "hard")))
            fault(self, item(self, "/process/rlimits", i, ""), "wants type (\"RLIMIT_NOFILE\"), soft and hard");
    }
}

static void check_process(const struct config_lint *self, const json_t *process)
{
    const json_t *args = json_object_get(process, "args"), *user = json_object_get(process, "user"), *word;
    const char *cwd = json_string_value(json_object_get(process, "cwd"));
    bool are_words = json_array_size(args) > 0;
    for (size_t i = 0; i < json_array_size(args); i++) {
        word = json_array_get(args, i);
        are_words = are_words && json_is_string(word) && (i || *json_string_value(word));
    }
    if (!are_words)
        fault(self, "/process/args", "must be the command, a list of words");
    /* JSON without the key is one without a terminal; `atomic`'s lint wants it to be said. */
    if (!json_is_false(json_object_get(process, "terminal")))
        fault(self, "/process/terminal", "must be false");
    if (!cwd || cwd[0] != '/')
        fault(self, "/process/cwd", "must be an absolute path");
    if (!json_is_integer(json_object_get(user, "uid")) || !json_is_integer(json_object_get(user, "gid")))
        fault(self, "/process/user", "wants the numbers uid and gid");
    check_env(self, json_object_get(process, "env"));
    check_capabilities(self, json_object_get(process, "capabilities"));
    check_rlimits(self, json_object_get(process, "rlimits"));
}

/* Whether a path of the host is there on every host, or is made at the installation. */
static bool is_made(const struct lint *lint, const char *source)
{
    static const char *const always[] = {"/",    "/dev",  "/etc",     "/proc",      "/run",       "/sys",
                                         "/tmp", "/usr",  "/var",     "/var/lib",   "/var/log",   "/boot",
                                         "/lib", "/home", "/root",    "/opt",       "/srv",       "/mnt",
                                         "/bin", "/sbin", "/var/run", "/var/cache", "/var/spool", "/var/tmp"};
    static const char *const below[] = {"/dev", "/proc", "/sys", "/run/systemd", "/run/dbus", "/run/udev"};
    static const char *const files[] = {"/etc/hosts",      "/etc/resolv.conf", "/etc/localtime",
                                        "/etc/machine-id", "/etc/os-release",  "/etc/passwd",
                                        "/etc/group",      "/etc/hostname",    "/etc/nsswitch.conf"};
    bool is_there = false;
    for (size_t i = 0; i < ARRAY_COUNT(always); i++)
        is_there = is_there || strcmp(always[i], source) == 0;
    for (size_t i = 0; i < ARRAY_COUNT(below); i++)
        is_there = is_there || path_is_within(source, below[i]);
    for (size_t i = 0; i < ARRAY_COUNT(files); i++)
        is_there = is_there || strcmp(files[i], source) == 0;
    for (size_t i = 0; i < lint->made.count; i++) /* directories above what a line makes are made, too */
        is_there = is_there || path_is_within(lint->made.items[i], source);
    return is_there;
}

/* In the template, where variables are still to be seen. */
static void check_raw_source(const struct config_lint *self, const char *place, const char *source)
{
    struct text raw = self->lint->request->exports->files[SYSTEM_CONFIG];
    const char *quoted = arena_printf(self->lint->arena, "\"%s\"", source);
    if (!raw.ptr || !memmem(raw.ptr, raw.len, quoted, strlen(quoted)))
        return;
    if (path_is_below(source, "/var/lib"))
        note(self, place, "is written out; use ${STATE_DIRECTORY}");
    else if (path_is_below(source, "/run"))
        note(self, place, "is written out; use ${RUN_DIRECTORY}");
}

static void check_mount(const struct config_lint *self, const json_t *mount, size_t index)
{
    const char *destination = json_string_value(json_object_get(mount, "destination")),
               *type = json_string_value(json_object_get(mount, "type")),
               *source = json_string_value(json_object_get(mount, "source"));
    const json_t *options = json_object_get(mount, "options");
    bool is_bind = type && strcmp(type, "bind") == 0;
    json_t *option;
    size_t i;
    if (!destination || destination[0] != '/')
        fault(self, item(self, "/mounts", index, "/destination"), "must be an absolute path");
    if (type && strcmp(type, "rbind") == 0)
        fault(self, item(self, "/mounts", index, "/type"),
              "is no type of mount; write bind, and rbind among the options");
    if (options && !json_is_array(options))
        fault(self, item(self, "/mounts", index, "/options"), "must be a list");
    json_array_foreach((json_t *)options, i, option)
    {
        const char *word = json_string_value(option);
        is_bind = is_bind || (word && (strcmp(word, "bind") == 0 || strcmp(word, "rbind") == 0));
    }
    if (!is_bind)
        return;
    const char *place = item(self, "/mounts", index, "/source"), *why;
    if (!source || source[0] != '/' || !path_exact(self->lint->arena, text_of(source), &why)) {
        fault(self, place, "must be an absolute path of the host");
        return;
    }
    check_raw_source(self, place, source);
    if (!is_made(self->lint, path_exact(self->lint->arena, text_of(source), &why)))
        fault(self, place,
              arena_printf(self->lint->arena,
                           "is not on every host: no line of tmpfiles.template and no file of hostfs makes %s",
                           source));
}

static const char *own_architecture(struct lint *lint)
{
    json_auto_t *config =
        lint->request->config.ptr ? json_loadb(lint->request->config.ptr, lint->request->config.len, 0, NULL) : NULL;
    return arena_strdup(lint->arena, json_string_value(json_object_get(config, "architecture")));
}

static void check_rest(const struct config_lint *self, const json_t *config)
{
    static const char *const known[] = {"ociVersion", "root",        "mounts", "process",  "hostname",
                                        "hooks",      "annotations", "linux",  "platform", "domainname"};
    const json_t *platform = json_object_get(config, "platform"), *linux_part = json_object_get(config, "linux");
    const char *arch = json_string_value(json_object_get(platform, "arch")), *own = own_architecture(self->lint), *key;
    json_t *value;
    if (platform && arch && own && strcmp(arch, own) != 0)
        fault(self, "/platform/arch", arena_printf(self->lint->arena, "is %s, but the image is for %s", arch, own));
    else if (platform)
        note(self, "/platform", "is no part of runtime-spec 1.0; leave it out");
    if (json_object_get(linux_part, "selinuxProcessLabel"))
        fault(self, "/linux/selinuxProcessLabel", "is not valid; use process/selinuxLabel");
    if (json_object_get(linux_part, "capabilities"))
        fault(self, "/linux/capabilities", "is not valid since runtime-spec 1.0; use process/capabilities");
    if (json_object_get(linux_part, "rlimits"))
        fault(self, "/linux/rlimits", "is not valid since runtime-spec 1.0; use process/rlimits");
    if (json_object_size(json_object_get(config, "hooks")))
        note(self, "/hooks", "the runtime runs these programs on the host, as root");
    json_object_foreach((json_t *)config, key, value)
    {
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_COUNT(known); i++)
            is_known = is_known || strcmp(known[i], key) == 0;
        if (!is_known)
            note(self, arena_printf(self->lint->arena, "/%s", key), "runtime-spec knows no such key");
    }
}

void lint_config(struct lint *lint)
{
    bool is_template = lint->request->exports->files[SYSTEM_CONFIG].ptr;
    enum system_file which = is_template ? SYSTEM_CONFIG : SYSTEM_CONFIG_PLAIN;
    struct text text =
        is_template ? lint_fill(lint, which, SYSTEM_TEMPLATE_JSON) : lint->request->exports->files[which];
    const struct config_lint self = {lint, system_file_names[which]};
    json_auto_t *config = text.ptr ? system_json(lint->findings, self.file, text) : NULL;
    json_t *mount;
    size_t i;
    if (config && !json_is_object(config)) {
        fault(&self, "/", "must be an object");
    } else if (config) {
        check_root(&self, config);
        check_process(&self, json_object_get(config, "process"));
        if (json_array_size(json_object_get(config, "mounts")) > SYSTEM_VARIABLES_MAX) {
            fault(&self, "/mounts", "has more mounts than any container");
            return;
        }
        json_array_foreach(json_object_get(config, "mounts"), i, mount) check_mount(&self, mount, i);
        check_rest(&self, config);
        lint->config = config;
    }
    lint_image(lint);
    lint->config = NULL;
}
