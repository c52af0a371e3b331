/* SPDX-License-Identifier: Apache-2.0 */
/* deploy_night.h - what makes a site's images every night: a service and a timer of systemd, a service that watches, or a CronJob of Kubernetes
 *
 * Least privilege: the service has an account of its own, no capability, and writes to its cache, its state and the output
 * alone; the CronJob's pod has a read-only root and no account of the cluster.
 * Threads: pure functions of their inputs.
 * Owns: nothing; texts live in the arena given.
 */
#ifndef IMGFACTORY_DEPLOY_DEPLOY_NIGHT_H
#define IMGFACTORY_DEPLOY_DEPLOY_NIGHT_H

#include "deploy/deploy.h"

/* What is to run every night. Paths are absolute. */
struct deploy_night {
    const char *name;         /* of the units and objects: of letters, digits and '-' */
    const char *program;      /* this program; of a CronJob its name in the image */
    const char *image;        /* of a CronJob: an image that has the program; else NULL */
    const char *config;       /* the site file */
    const char *authfile;     /* credentials; or NULL */
    const char *key;          /* of a plan in Kubernetes: what is signed with; or NULL */
    const char *output;       /* where layouts go when that is another place than the state; or NULL */
    const char *report;       /* where pages go; or NULL */
    struct strings arguments; /* further ones */
    bool is_watch;            /* the service watches, and no timer starts it */
    bool is_home_read;        /* something of it lies in somebody's home */
    bool has_source;          /* the site says where packages come from, not the machine */
};

/* Adds to the volumes of a pod the secret of credentials, as auth.json, if there is one. */
void deploy_night_add_secret(struct arena *arena, const struct deploy_night *night, const char **text);
/* Makes the files of DEPLOY_TIMER, DEPLOY_WATCH or DEPLOY_CRONJOB. */
struct deploy_files deploy_night_files(struct arena *arena, const struct deploy_night *night,
                                       enum deploy_format format);

#endif
