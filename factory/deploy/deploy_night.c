/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/deploy_night.h"

#include "base/digest.h"
#include "deploy/deploy_text.h"

#define UNITS "/etc/systemd/system"
#define NO_CREDENTIAL "# No credential is given to it: no authfile: in the site file, no --authfile.\n"
#define ACCOUNT "imgfactory" /* cache and state are those of all sites of a machine */

/* systemd.exec(5). Left out: ProcSubset=pid, since a lock's holder is told by /proc/locks; what forbids @resources, since
 * limits are read by prlimit(2). The last calls are those by which the program confines its own readers (io/confine.h). */
static const char hardening[] = "NoNewPrivileges=yes\n"
                                "CapabilityBoundingSet=\n"
                                "AmbientCapabilities=\n"
                                "PrivateTmp=yes\n"
                                "PrivateDevices=yes\n"
                                "PrivateUsers=yes\n"
                                "DevicePolicy=closed\n"
                                "ProtectSystem=strict\n"
                                "ProtectProc=invisible\n"
                                "ProtectKernelTunables=yes\n"
                                "ProtectKernelModules=yes\n"
                                "ProtectKernelLogs=yes\n"
                                "ProtectControlGroups=yes\n"
                                "ProtectClock=yes\n"
                                "ProtectHostname=yes\n"
                                "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX\n"
                                "RestrictNamespaces=yes\n"
                                "RestrictRealtime=yes\n"
                                "RestrictSUIDSGID=yes\n"
                                "LockPersonality=yes\n"
                                "MemoryDenyWriteExecute=yes\n"
                                "KeyringMode=private\n"
                                "RemoveIPC=yes\n"
                                "SystemCallArchitectures=native\n"
                                "SystemCallErrorNumber=EPERM\n"
                                "SystemCallFilter=@system-service\n"
                                "SystemCallFilter=~@privileged\n"
                                "SystemCallFilter=landlock_create_ruleset landlock_add_rule landlock_restrict_self "
                                "seccomp\n"
                                "LimitCORE=0\n";

/* systemd.service(5): the program says when it is ready and that it is alive (io/notify.h). */
static const char watching[] = "Type=notify\nNotifyAccess=main\nWatchdogSec=5min\nRestart=on-failure\nRestartSec=1min\n"
                               "ExecReload=kill -HUP $MAINPID\n";

/* The command, an option a line. */
static void add_command(struct arena *arena, const struct deploy_night *night, const char **text)
{
    deploy_append(arena, text,
                  "ExecStart=%s%s --quiet --summary \\\n    --config=%s \\\n    --cache=%%C/" ACCOUNT
                  " \\\n    --state=%%S/" ACCOUNT " \\\n    --output=%s",
                  deploy_unit_word(arena, night->program), night->is_watch ? " --watch" : "",
                  deploy_unit_word(arena, night->config),
                  night->output ? deploy_unit_word(arena, night->output) : "%S/" ACCOUNT "/out");
    if (night->authfile)
        deploy_append(arena, text, " \\\n    --authfile=${CREDENTIALS_DIRECTORY}/auth.json");
    for (size_t i = 0; i < night->arguments.count; i++)
        deploy_append(arena, text, " \\\n    %s", deploy_unit_word(arena, night->arguments.items[i]));
    deploy_append(arena, text, "\n");
}

static const char *folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == path ? "/" : arena_strndup(arena, path, (size_t)(slash - path));
}

/* Returns whether anything lies outside of cache and state. */
static bool has_folders(const struct deploy_night *night)
{
    return night->output || night->report;
}

/* One that is to be there, and the account's. */
static const char *folder_line(struct arena *arena, const char *folder)
{
    return folder ? arena_printf(arena, "d %s 0755 " ACCOUNT " " ACCOUNT " -\n", folder) : "";
}

/* The first lines of the service tell how all files are put to use. */
static const char *service_head(struct arena *arena, const struct deploy_night *night)
{
    const char *text = "";
    deploy_append(
        arena, &text,
        "# Makes and pushes all images of %s.\n"
        "# Put %s.service%s into " UNITS ",\n"
        "# " ACCOUNT
        ".conf into /etc/sysusers.d (mkdir -p)%s; then:\n#   systemd-sysusers%s && systemctl daemon-reload && "
        "systemctl enable --now %s.%s\n"
        "# A night at once: systemctl %s %s; what it did: journalctl -u %s\n",
        night->config, night->name, night->is_watch ? "" : arena_printf(arena, " and %s.timer", night->name),
        has_folders(night) ? arena_printf(arena, ", %s-output.conf into /etc/tmpfiles.d", night->name) : "",
        has_folders(night) ? " && systemd-tmpfiles --create" : "", night->name, night->is_watch ? "service" : "timer",
        night->is_watch ? "reload" : "start", night->name, night->name);
    if (!night->authfile)
        deploy_append(arena, &text,
                      NO_CREDENTIAL "# To give it one: imgfactory login --authfile %s/auth.json REGISTRY; write\n"
                                    "# `authfile: auth.json` into the site file; make these units anew.\n",
                      folder_of(arena, night->config));
    if (night->is_home_read)
        deploy_append(arena, &text,
                      "# Something of it lies in a home: the account " ACCOUNT " has to be able to read it\n"
                      "# (or install imgfactory, and have the site file in /etc/imgfactory).\n");
    return text;
}

static void add_service(struct arena *arena, const struct deploy_night *night, struct deploy_files *files)
{
    const char *text = service_head(arena, night);
    deploy_append(arena, &text,
                  "[Unit]\nDescription=Images of %s\nWants=network-online.target\nAfter=network-online.target\n\n"
                  "[Service]\n%sUser=" ACCOUNT "\nGroup=" ACCOUNT "\n",
                  deploy_unit_value(arena, night->config), night->is_watch ? watching : "Type=oneshot\n");
    add_command(arena, night, &text);
    deploy_append(arena, &text,
                  "# ended by systemctl stop\nSuccessExitStatus=143\nNice=10\nStateDirectory=" ACCOUNT
                  "\nStateDirectoryMode=0700\nCacheDirectory=" ACCOUNT "\nCacheDirectoryMode=0700\nUMask=%s\n",
                  night->output || night->report ? "0022" : "0077");
    if (night->output)
        deploy_append(arena, &text, "ReadWritePaths=%s\n", deploy_unit_value(arena, night->output));
    if (night->report)
        deploy_append(arena, &text, "ReadWritePaths=%s\n", deploy_unit_value(arena, night->report));
    if (night->authfile)
        deploy_append(arena, &text, "LoadCredential=auth.json:%s\n", deploy_unit_value(arena, night->authfile));
    deploy_append(arena, &text, "ProtectHome=%s\n%s%s", night->is_home_read ? "read-only" : "yes", hardening,
                  night->is_watch ? "\n[Install]\nWantedBy=multi-user.target\n" : "");
    struct deploy_file file = {.name = arena_printf(arena, "%s.service", night->name), .folder = UNITS, .text = text};
    list_add(arena, files, file);
}

static void add_timer(struct arena *arena, const struct deploy_night *night, struct deploy_files *files)
{
    struct deploy_file file = {
        .name = arena_printf(arena, "%s.timer", night->name),
        .folder = UNITS,
        .text = arena_printf(arena,
                             "[Unit]\nDescription=Every night: images of %s\n\n[Timer]\nOnCalendar=daily\n"
                             "RandomizedDelaySec=1h\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n",
                             deploy_unit_value(arena, night->config))};
    list_add(arena, files, file);
}

/* sysusers.d(5): the account. tmpfiles.d(5): output and pages, when they lie elsewhere. */
static void add_account(struct arena *arena, const struct deploy_night *night, struct deploy_files *files)
{
    struct deploy_file account = {.name = ACCOUNT ".conf",
                                  .folder = "/etc/sysusers.d",
                                  .text = "u " ACCOUNT " - \"nights of imgfactory\" /var/lib/" ACCOUNT "\n"};
    list_add(arena, files, account);
    struct deploy_file output = {
        .name = arena_printf(arena, "%s-output.conf", night->name),
        .folder = "/etc/tmpfiles.d",
        .text = arena_printf(arena, "%s%s", folder_line(arena, night->output), folder_line(arena, night->report))};
    if (has_folders(night))
        list_add(arena, files, output);
}

/* A minute of the hour that is the site's: clusters do not delay at random, and not all should come at once. */
static unsigned minute_of(const struct deploy_night *night)
{
    struct digest digest = digest_of(night->name, strlen(night->name));
    return digest.bytes[0] % 60;
}

static const char *cron_head(struct arena *arena, const struct deploy_night *night)
{
    const char *text = "";
    deploy_append(
        arena, &text,
        "# Makes and pushes all images of %s.\n"
        "# First the site file and what lies beside it (own manifests, sources, keys), which goes to /etc/imgfactory:\n"
        "#   kubectl create configmap %s --from-file=%s\n",
        night->config, night->name, text_shell_word(arena, folder_of(arena, night->config)));
    if (night->authfile)
        deploy_append(arena, &text,
                      "# and the credentials:\n#   kubectl create secret generic %s "
                      "--type=kubernetes.io/dockerconfigjson --from-file=.dockerconfigjson=%s\n",
                      night->name, text_shell_word(arena, night->authfile));
    else
        deploy_append(arena, &text, NO_CREDENTIAL);
    if (!night->has_source)
        deploy_append(
            arena, &text,
            "# The site file has no source:, so packages come from where the image %s is configured to get them.\n",
            night->image);
    deploy_append(arena, &text,
                  "# Then: kubectl apply -f %s.yaml; a night at once: kubectl create job --from=cronjob/%s now\n",
                  night->name, night->name);
    return text;
}

/* What keeps nights cheap, and what was accepted of each repository. */
static void add_claim(struct arena *arena, const struct deploy_night *night, const char **text)
{
    deploy_append(arena, text,
                  "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: %s\nspec:\n"
                  "  accessModes: [ReadWriteOnce]\n  resources:\n    requests:\n      storage: 20Gi\n---\n",
                  night->name);
}

static void add_container(struct arena *arena, const struct deploy_night *night, const char **text)
{
    const char *base = strrchr(night->config, '/') + 1;
    deploy_append(
        arena, text,
        "          containers:\n            - name: imgfactory\n              image: %s\n"
        "              imagePullPolicy: Always\n              command:\n                - %s\n"
        "                - --quiet\n                - --summary\n                - %s\n                - "
        "--cache=/var/lib/imgfactory/cache\n"
        "                - --state=/var/lib/imgfactory/state\n                - --output=/var/lib/imgfactory/out\n",
        deploy_yaml_string(arena, night->image), deploy_yaml_string(arena, night->program),
        deploy_yaml_string(arena, arena_printf(arena, "--config=/etc/imgfactory/%s", base)));
    if (night->authfile)
        deploy_append(arena, text, "                - --authfile=/run/secrets/imgfactory/auth.json\n");
    if (night->report)
        deploy_append(arena, text, "                - --report=/var/lib/imgfactory/report\n");
    for (size_t i = 0; i < night->arguments.count; i++)
        deploy_append(arena, text, "                - %s\n", deploy_yaml_string(arena, night->arguments.items[i]));
    /* The claim is this job's alone, whatever mode its volume comes with. */
    deploy_append(arena, text,
                  "              env:\n"
                  "                - {name: IMGFACTORY_PRIVATE_DIRS, value: /var/lib/imgfactory}\n");
    deploy_append(
        arena, text,
        "              securityContext:\n                allowPrivilegeEscalation: false\n"
        "                readOnlyRootFilesystem: true\n                capabilities:\n"
        "                  drop: [ALL]\n              volumeMounts:\n"
        "                - {name: site, mountPath: /etc/imgfactory, readOnly: true}\n"
        "                - {name: kept, mountPath: /var/lib/imgfactory}\n"
        "                - {name: tmp, mountPath: /tmp}\n                - {name: tmp, mountPath: /var/tmp}\n");
    if (night->authfile)
        deploy_append(arena, text,
                      "                - {name: auth, mountPath: /run/secrets/imgfactory, readOnly: true}\n");
}

void deploy_night_add_secret(struct arena *arena, const struct deploy_night *night, const char **text)
{
    if (night->authfile)
        deploy_append(arena, text,
                      "            - name: auth\n              secret:\n                secretName: %s\n"
                      "                items:\n                  - {key: .dockerconfigjson, path: auth.json}\n",
                      night->name);
}

static void add_volumes(struct arena *arena, const struct deploy_night *night, const char **text)
{
    deploy_append(arena, text,
                  "          volumes:\n            - name: site\n              configMap: {name: %s}\n"
                  "            - name: kept\n              persistentVolumeClaim: {claimName: %s}\n"
                  "            - name: tmp\n              emptyDir: {}\n",
                  night->name, night->name);
    deploy_night_add_secret(arena, night, text);
}

/* The group owns the volume alone, so that what lies there is believed (io/owner.h). */
static void add_cronjob(struct arena *arena, const struct deploy_night *night, struct deploy_files *files)
{
    const char *text = cron_head(arena, night);
    add_claim(arena, night, &text);
    deploy_append(
        arena, &text,
        "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: %s\n  labels:\n    app: %s\nspec:\n"
        "  schedule: \"%u 2 * * *\"\n  concurrencyPolicy: Forbid\n  startingDeadlineSeconds: 21600\n"
        "  successfulJobsHistoryLimit: 3\n  failedJobsHistoryLimit: 7\n  jobTemplate:\n    spec:\n"
        "      backoffLimit: 1\n      template:\n        metadata:\n          labels:\n            app: %s\n"
        "        spec:\n          restartPolicy: Never\n          automountServiceAccountToken: false\n"
        "          enableServiceLinks: false\n          securityContext:\n            runAsNonRoot: true\n"
        "            runAsUser: 65532\n            runAsGroup: 65532\n            fsGroup: 65532\n"
        "            fsGroupChangePolicy: OnRootMismatch\n            seccompProfile: {type: RuntimeDefault}\n",
        night->name, night->name, minute_of(night), night->name);
    add_container(arena, night, &text);
    add_volumes(arena, night, &text);
    struct deploy_file file = {.name = arena_printf(arena, "%s.yaml", night->name), .folder = "", .text = text};
    list_add(arena, files, file);
}

struct deploy_files deploy_night_files(struct arena *arena, const struct deploy_night *night, enum deploy_format format)
{
    struct deploy_files files = {0};
    if (format == DEPLOY_CRONJOB) {
        add_cronjob(arena, night, &files);
        return files;
    }
    add_service(arena, night, &files);
    if (!night->is_watch)
        add_timer(arena, night, &files);
    add_account(arena, night, &files);
    return files;
}
