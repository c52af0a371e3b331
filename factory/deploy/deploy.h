/* SPDX-License-Identifier: Apache-2.0 */
/* deploy.h - how an image is run on a machine: units and command lines, made from its configuration and its contract
 *
 * Least privilege: where a contract is known (plan/contract.h) no capability but those it names, a read-only root where
 * it writes nothing, no device, path or network of the host that it does not name. Where none is known the engine's own
 * choices stay, and the text says so.
 * Threads: pure functions of their inputs.
 * Owns: nothing; texts live in the arena given.
 */
#ifndef IMGFACTORY_DEPLOY_DEPLOY_H
#define IMGFACTORY_DEPLOY_DEPLOY_H

#include "plan/manifest.h"

/* What is to be run. */
struct deployment {
    const char *name;        /* of the image; units, containers and volumes are called after it */
    const char *description; /* one line; or NULL */
    const char *reference;   /* what the engine is to run, as it reads it */
    bool is_pinned;          /* it names a digest: nothing newer is looked for */
    bool is_local;           /* it lies on this machine: nothing newer can be looked for */
    const char *network;     /* one that it shares with others; or NULL, as for what has no network of its own */
    const struct manifest_config *process; /* of the image's configuration */
    const struct contract *contract;       /* NULL: nobody knows */
    const char *origin;                    /* who says what the contract is: "the manifest dhcpd"; or NULL */
    uint32_t volume_gid;                   /* group of its volumes' folders in the image; 0: root's, or not known */
};

struct deployments {
    struct deployment *items;
    size_t count, capacity;
};

/* A file that is made, and where it belongs on the machine. */
struct deploy_file {
    const char *name, *folder, *text;
};

struct deploy_files {
    struct deploy_file *items;
    size_t count, capacity;
};

/* How images are run; the last five are of a site's nights, on one machine (deploy_night.h) or on several (deploy_plan.h). */
enum deploy_format {
    DEPLOY_QUADLET,
    DEPLOY_SYSTEMD,
    DEPLOY_KUBE,
    DEPLOY_RUN,
    DEPLOY_TIMER,
    DEPLOY_WATCH,
    DEPLOY_CRONJOB,
    DEPLOY_SLURM,
    DEPLOY_KUBE_JOB,
};
/* Their names, in the order of the enum; NULL ends them. */
extern const char *const deploy_format_names[];

/* Returns whether it has a network of its own, which others can join. */
bool deploy_has_own_network(const struct deployment *deployment);
/* Makes the command that runs it, as a shell reads it: "podman run … REFERENCE". */
const char *deploy_command(struct arena *arena, const struct deployment *deployment);
/* Makes all files of one format of images: for quadlet NAME.container, a VOLUME.volume each, and with several images one
 * NETWORK.network that joins those with a network of their own; for systemd NAME.service; a .yaml for Kubernetes; or the
 * command lines. And a tmpfiles.d file for the paths of the host, where there are any. */
struct deploy_files deploy_files_of(struct arena *arena, const struct deployments *deployments,
                                    enum deploy_format format);

#endif
