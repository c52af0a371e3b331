/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/deploy_plan.h"

#include "deploy/deploy_text.h"

#define SLURM_ARRAY_MAX 1001 /* indices, from 0 on, are below MaxArraySize, which is this (slurm.conf(5)) */
#define TRIES 3
#define SECRET "/run/secrets/imgfactory"
#define KEYS "/run/secrets/imgfactory-key"
#define PLAN "/var/lib/imgfactory/plan"

/* Who takes which part. */
enum role { ROLE_LOCK, ROLE_SHARDS, ROLE_ASSEMBLE };

static const char *const role_names[] = {"lock", "shards", "assemble"};

static uint64_t mebibytes(uint64_t bytes)
{
    return (bytes + (1 << 20) - 1) >> 20;
}

static void add_file(struct arena *arena, const char *name, const char *text, struct deploy_files *files)
{
    struct deploy_file file = {.name = name, .folder = "", .text = text};
    list_add(arena, files, file);
}

/* --- Slurm (sbatch(1)) --- */

static const char *slurm_head(struct arena *arena, const struct deploy_plan *plan, enum role role)
{
    const struct deploy_night *night = plan->night;
    const char *text = "#!/bin/sh\n", *program = text_shell_word(arena, night->program),
               *config = text_shell_word(arena, arena_printf(arena, "--config=%s", night->config)),
               *lock = text_shell_word(arena, arena_printf(arena, "--lock-file=%s", plan->lock));
    if (role == ROLE_SHARDS)
        deploy_append(
            arena, &text,
            "# Makes all images of %s, in %zu shards. Once for each night:\n"
            "#   %s lock --update %s %s && job=$(sbatch --parsable %s-shards.sbatch) &&\n"
            "#       sbatch --dependency=afterany:${job%%%%;*} %s-assemble.sbatch\n"
            "# The program, the site file and what lies beside it, lock and credentials have to be where all nodes\n"
            "# see them; cache and state may be each node's own.\n",
            night->config, plan->shards, program, config, lock, night->name, night->name);
    else
        deploy_append(arena, &text,
                      "# Puts together what %s-shards.sbatch made, and publishes it. Keys are read here alone.\n",
                      night->name);
    deploy_append(arena, &text, "#SBATCH --job-name=%s-%s\n", night->name, role_names[role]);
    if (role == ROLE_SHARDS && plan->shards > SLURM_ARRAY_MAX)
        deploy_append(arena, &text, "# Slurm takes no array of more than %d jobs unless its MaxArraySize says so.\n",
                      SLURM_ARRAY_MAX);
    if (role == ROLE_SHARDS)
        deploy_append(arena, &text, "#SBATCH --array=0-%zu%%%zu\n", plan->shards - 1, plan->parallel);
    deploy_append(arena, &text,
                  "#SBATCH --requeue\n#SBATCH --open-mode=append\n#SBATCH --output=%s-%s.log\n"
                  "# Told from %s.\n#SBATCH --time=%u\n#SBATCH --mem=%juM\n",
                  night->name, role == ROLE_SHARDS ? "%A_%a" : "%j", plan->measure, plan->minutes,
                  (uintmax_t)mebibytes(plan->memory_bytes));
    return text;
}

/* Network and local resources are worth another try, elsewhere if Slurm has another node; scontrol ends this script. */
static void add_retry(struct arena *arena, enum role role, const char **text)
{
    deploy_append(
        arena, text,
        "status=$?\nrm -rf \"$work\"\ncase $status in\n6 | 8)\n"
        "    if [ \"${SLURM_RESTART_COUNT:-0}\" -lt %d ]; then\n        scontrol requeue \"%s\" && sleep 60\n    fi\n"
        "    ;;\nesac\nexit \"$status\"\n",
        TRIES, role == ROLE_SHARDS ? "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" : "$SLURM_JOB_ID");
}

static void add_slurm(struct arena *arena, const struct deploy_plan *plan, enum role role, struct deploy_files *files)
{
    const struct deploy_night *night = plan->night;
    const char *text = slurm_head(arena, plan, role);
    deploy_append(
        arena, &text,
        "work=$(mktemp -d) || exit 8\n%s%s --quiet --summary \\\n    %s \\\n    %s \\\n    --output=\"$work\"",
        text_shell_word(arena, night->program), role == ROLE_ASSEMBLE ? " assemble" : "",
        text_shell_word(arena, arena_printf(arena, "--config=%s", night->config)),
        text_shell_word(arena, arena_printf(arena, "--lock-file=%s", plan->lock)));
    if (role == ROLE_SHARDS)
        deploy_append(arena, &text, " \\\n    --shard=\"$SLURM_ARRAY_TASK_ID/%zu\"", plan->shards);
    else
        deploy_append(arena, &text, " \\\n    --shard=%zu", plan->shards);
    if (night->authfile)
        deploy_append(arena, &text, " \\\n    %s",
                      text_shell_word(arena, arena_printf(arena, "--authfile=%s", night->authfile)));
    for (size_t i = 0; i < night->arguments.count; i++)
        deploy_append(arena, &text, " \\\n    %s", text_shell_word(arena, night->arguments.items[i]));
    deploy_append(arena, &text, "\n");
    add_retry(arena, role, &text);
    add_file(arena, arena_printf(arena, "%s-%s.sbatch", night->name, role_names[role]), text, files);
}

/* --- Kubernetes (batch/v1) --- */

static const char *folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == path ? "/" : arena_strndup(arena, path, (size_t)(slash - path));
}

/* Says of a file whose folder goes to all pods that it would go along. */
static void add_warning(struct arena *arena, const struct deploy_night *night, const char *path, const char **text)
{
    if (path && strcmp(folder_of(arena, path), folder_of(arena, night->config)) == 0)
        deploy_append(arena, text, "#   (first move %s elsewhere: what is in that folder, all these pods can read)\n",
                      path);
}

static const char *kube_head(struct arena *arena, const struct deploy_plan *plan)
{
    const struct deploy_night *night = plan->night;
    const char *text = "";
    deploy_append(
        arena, &text,
        "# Makes all images of %s every night, in %zu shards. A lock is written, then an Indexed Job makes\n"
        "# the shards, then they are put together; that is tried again each hour, and changes nothing when it is "
        "done.\n"
        "# First the site file and what lies beside it (own manifests, sources), which goes to /etc/imgfactory:\n"
        "#   kubectl create configmap %s --from-file=%s\n",
        night->config, plan->shards, night->name, text_shell_word(arena, folder_of(arena, night->config)));
    add_warning(arena, night, night->authfile, &text);
    add_warning(arena, night, night->key, &text);
    if (night->authfile)
        deploy_append(arena, &text,
                      "# and the credentials:\n#   kubectl create secret generic %s "
                      "--type=kubernetes.io/dockerconfigjson --from-file=.dockerconfigjson=%s\n",
                      night->name, text_shell_word(arena, night->authfile));
    if (night->key)
        deploy_append(
            arena, &text,
            "# and the key, which the pods that make images do not see:\n#   kubectl create secret generic %s-key "
            "--from-file=sign.key=%s\n",
            night->name, text_shell_word(arena, night->key));
    deploy_append(arena, &text,
                  "# Then: kubectl apply -f %s.yaml. The claim has to be of a class that several nodes can mount.\n"
                  "# Memory and time are told from %s.\n"
                  "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: %s-plan\nspec:\n"
                  "  accessModes: [ReadWriteMany]\n  resources:\n    requests:\n      storage: 1Gi\n",
                  night->name, plan->measure, night->name);
    return text;
}

/* The lock's minute; shards an hour later, and then hourly who puts them together. */
static const char *schedule_of(struct arena *arena, const struct deploy_night *night, enum role role)
{
    static const char *const hours[] = {"2", "3", "4-9"};
    struct digest digest = digest_of(night->name, strlen(night->name));
    return arena_printf(arena, "%u %s * * *", (unsigned)digest.bytes[0] % 60, hours[role]);
}

/* What is not worth another try ends a shard, or the job; nodes that are drained count for nothing. */
static void add_job(struct arena *arena, const struct deploy_plan *plan, enum role role, const char **text)
{
    const struct deploy_night *night = plan->night;
    deploy_append(
        arena, text,
        "---\napiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: %s-%s\n  labels:\n    app: %s\nspec:\n"
        "  schedule: \"%s\"\n  concurrencyPolicy: Forbid\n  startingDeadlineSeconds: 3600\n  jobTemplate:\n    spec:\n",
        night->name, role_names[role], night->name, schedule_of(arena, night, role));
    if (role == ROLE_SHARDS)
        deploy_append(arena, text,
                      "      completionMode: Indexed\n      completions: %zu\n      parallelism: %zu\n"
                      "      backoffLimitPerIndex: %d\n      maxFailedIndexes: %zu\n",
                      plan->shards, plan->parallel, TRIES, plan->shards);
    else
        deploy_append(arena, text, "      backoffLimit: %d\n", TRIES);
    deploy_append(
        arena, text,
        "      podFailurePolicy:\n        rules:\n          - action: Ignore\n            onPodConditions:\n"
        "              - {type: DisruptionTarget, status: \"True\"}\n          - action: %s\n"
        "            onExitCodes: {containerName: imgfactory, operator: In, values: [2, 3, 4, 5, 70]}\n"
        "      template:\n        metadata:\n          labels:\n            app: %s\n        spec:\n"
        "          restartPolicy: Never\n          activeDeadlineSeconds: %u\n"
        "          automountServiceAccountToken: false\n          enableServiceLinks: false\n"
        "          securityContext:\n            runAsNonRoot: true\n            runAsUser: 65532\n"
        "            runAsGroup: 65532\n            fsGroup: 65532\n            fsGroupChangePolicy: OnRootMismatch\n"
        "            seccompProfile: {type: RuntimeDefault}\n",
        role == ROLE_SHARDS ? "FailIndex" : "FailJob", night->name, plan->minutes * 60);
}

static void add_word(struct arena *arena, const char *word, const char **text)
{
    deploy_append(arena, text, "                - %s\n", deploy_yaml_string(arena, word));
}

static void add_command(struct arena *arena, const struct deploy_plan *plan, enum role role, const char **text)
{
    const struct deploy_night *night = plan->night;
    add_word(arena, night->program, text);
    if (role != ROLE_SHARDS)
        add_word(arena, role_names[role], text);
    add_word(arena, "--quiet", text);
    add_word(arena, role == ROLE_LOCK ? "--update" : "--summary", text);
    if (role == ROLE_SHARDS)
        add_word(arena, arena_printf(arena, "--shard=$(SHARD)/%zu", plan->shards), text);
    if (role == ROLE_ASSEMBLE)
        add_word(arena, arena_printf(arena, "--shard=%zu", plan->shards), text);
    add_word(arena, arena_printf(arena, "--config=/etc/imgfactory/%s", strrchr(night->config, '/') + 1), text);
    add_word(arena, "--lock-file=" PLAN "/imgfactory.lock", text);
    add_word(arena, "--cache=/var/lib/imgfactory/node/cache", text);
    add_word(arena, role == ROLE_SHARDS ? "--state=/var/lib/imgfactory/node/state" : "--state=" PLAN "/state", text);
    if (role != ROLE_LOCK)
        add_word(arena, "--output=/var/lib/imgfactory/node/out", text);
    if (night->authfile)
        add_word(arena, "--authfile=" SECRET "/auth.json", text);
    if (night->key && role == ROLE_ASSEMBLE)
        add_word(arena, "--sign=" KEYS "/sign.key", text);
    for (size_t i = 0; i < night->arguments.count; i++)
        add_word(arena, night->arguments.items[i], text);
}

static void add_container(struct arena *arena, const struct deploy_plan *plan, enum role role, const char **text)
{
    const struct deploy_night *night = plan->night;
    deploy_append(arena, text,
                  "          containers:\n            - name: imgfactory\n              image: %s\n"
                  "              imagePullPolicy: Always\n              command:\n",
                  deploy_yaml_string(arena, night->image));
    add_command(arena, plan, role, text);
    deploy_append(arena, text,
                  "              env:\n"
                  "                - {name: IMGFACTORY_PRIVATE_DIRS, value: \"/var/lib/imgfactory/node:" PLAN "\"}\n");
    if (role == ROLE_SHARDS)
        deploy_append(arena, text,
                      "                - name: SHARD\n                  valueFrom:\n"
                      "                    fieldRef: {fieldPath: \"metadata.annotations['batch.kubernetes.io/"
                      "job-completion-index']\"}\n");
    deploy_append(
        arena, text,
        "              resources:\n                requests: {memory: %juMi, cpu: \"1\"}\n"
        "                limits: {memory: %juMi}\n"
        "              securityContext:\n                allowPrivilegeEscalation: false\n"
        "                readOnlyRootFilesystem: true\n                capabilities:\n"
        "                  drop: [ALL]\n              volumeMounts:\n"
        "                - {name: site, mountPath: /etc/imgfactory, readOnly: true}\n"
        "                - {name: plan, mountPath: " PLAN "%s}\n"
        "                - {name: node, mountPath: /var/lib/imgfactory/node}\n"
        "                - {name: tmp, mountPath: /tmp}\n                - {name: tmp, mountPath: /var/tmp}\n",
        (uintmax_t)mebibytes(plan->memory_bytes), (uintmax_t)mebibytes(plan->memory_bytes),
        role == ROLE_SHARDS ? ", readOnly: true" : "");
    if (night->authfile)
        deploy_append(arena, text, "                - {name: auth, mountPath: " SECRET ", readOnly: true}\n");
    if (night->key && role == ROLE_ASSEMBLE)
        deploy_append(arena, text, "                - {name: key, mountPath: " KEYS ", readOnly: true}\n");
}

static void add_volumes(struct arena *arena, const struct deploy_plan *plan, enum role role, const char **text)
{
    const struct deploy_night *night = plan->night;
    deploy_append(arena, text,
                  "          volumes:\n            - name: site\n              configMap: {name: %s}\n"
                  "            - name: plan\n              persistentVolumeClaim: {claimName: %s-plan}\n"
                  "            - {name: node, emptyDir: {}}\n            - {name: tmp, emptyDir: {}}\n",
                  night->name, night->name);
    deploy_night_add_secret(arena, night, text);
    if (night->key && role == ROLE_ASSEMBLE)
        deploy_append(arena, text,
                      "            - name: key\n              secret: {secretName: %s-key, defaultMode: 288}\n",
                      night->name);
}

struct deploy_files deploy_plan_files(struct arena *arena, const struct deploy_plan *plan, enum deploy_format format)
{
    struct deploy_files files = {0};
    if (format == DEPLOY_SLURM) {
        add_slurm(arena, plan, ROLE_SHARDS, &files);
        add_slurm(arena, plan, ROLE_ASSEMBLE, &files);
        return files;
    }
    const char *text = kube_head(arena, plan);
    for (enum role role = ROLE_LOCK; role <= ROLE_ASSEMBLE; role++) {
        add_job(arena, plan, role, &text);
        add_container(arena, plan, role, &text);
        add_volumes(arena, plan, role, &text);
    }
    add_file(arena, arena_printf(arena, "%s.yaml", plan->night->name), text, &files);
    return files;
}
