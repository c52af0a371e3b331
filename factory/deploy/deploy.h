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
    const char *name;                      /* of the image; units, containers and volumes are called after it */
    const char *reference;                 /* what the engine is to run, as it reads it */
    const struct manifest_config *process; /* of the image's configuration */
    const struct contract *contract;       /* NULL: nobody knows */
};

/* Makes the command that runs it, as a shell reads it: "podman run … REFERENCE". */
const char *deploy_command(struct arena *arena, const struct deployment *deployment);

#endif
