/* SPDX-License-Identifier: Apache-2.0 */
/* Who compresses the layers: what a layer's bytes depend on besides its tar. */
#include "layer/layer_codec.h"

#include "base/loaded.h"

#include <dlfcn.h>
#include <stdio.h>

struct layer_encoder codec_encoder(const struct codec *codec)
{
    struct layer_encoder encoder;
    struct digest_stream stream;
    void *address = dlsym(RTLD_DEFAULT, codec->symbol);
    (void)snprintf(encoder.name, sizeof encoder.name, "%s %s level %d", codec->library, codec->version(), codec->level);
    digest_begin(&stream);
    if (address)
        loaded_feed_holder((uintptr_t)address, &stream);
    encoder.code = digest_end(&stream);
    return encoder;
}
