/* SPDX-License-Identifier: Apache-2.0 */
/* registry_kit.h - registry_server.py and a small image, for test_registry.c and test_push.c
 */
#ifndef IMGFACTORY_TESTS_REGISTRY_KIT_H
#define IMGFACTORY_TESTS_REGISTRY_KIT_H

#include "server.h"

#include "base/auto.h"
#include "oci/oci.h"
#include "registry/push.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define REPOSITORY "team/image"
#define LAYER_MEDIA "application/vnd.oci.image.layer.v1.tar+gzip"
#define KIT_BIG_BYTES ((size_t)3 << 20)

struct kit {
    char base[256], host[64], second[64]; /* host is HOST:PORT; second an origin */
    struct server server;
    struct http *http;
    struct store *store;
    struct arena arena;
    atomic_bool is_cancelled;
};

static inline int kit_start_server(struct kit *kit)
{
    bool is_up = server_start(&kit->server, "registry_server.py", NULL);
    (void)snprintf(kit->host, sizeof kit->host, "127.0.0.1:%d", kit->server.ports[0]);
    (void)snprintf(kit->second, sizeof kit->second, "http://127.0.0.1:%d", kit->server.ports[1]);
    return is_up ? 0 : -1;
}

/* An auth file with the credential that the server wants. */
static inline const char *kit_authfile(struct kit *kit, const char *fields)
{
    const char *path = arena_printf(&kit->arena, "%s/auth.json", kit->base);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "{\"auths\":{\"%s\":{%s}}}", kit->host, fields);
    (void)fclose(file);
    (void)chmod(path, 0600);
    return path;
}

#define KIT_PASSWORD "\"auth\":\"dXNlcjpjYW5hcnktc2VjcmV0\"" /* user:canary-secret */

static inline int kit_start(struct kit *kit)
{
    struct err err = {0};
    (void)snprintf(kit->base, sizeof kit->base, "%s", check_temporary_dir());
    check_empty_home(kit->base);
    struct http_options options = {.retry_base_ms = 5};
    if (kit_start_server(kit) != 0 || !store_open(kit->base, NULL, &kit->store, &err) ||
        !http_start(&options, &kit->http, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    return 0;
}

static inline int kit_stop(struct kit *kit)
{
    char command[300];
    http_stop(kit->http);
    store_close(kit->store);
    server_stop(&kit->server);
    arena_done(&kit->arena);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", kit->base);
    return system(command);
}

/* Asks the server for something below "/_"; the text lives in the kit's arena. */
static inline const char *kit_ask(struct kit *kit, const char *method, const char *what, const char *body)
{
    const char *url = arena_printf(&kit->arena, "http://%s/_%s", kit->host, what);
    struct http_call call = {.method = method, .body = text_of(body)};
    struct http_request request = {.urls = &url, .url_count = 1, .cap_bytes = 1 << 20, .call = &call};
    http_send(kit->http, &request);
    if (!http_wait(kit->http, &request))
        fail_msg("%s", request.err.text);
    const char *text = arena_strndup(&kit->arena, request.body.bytes, request.body.len);
    buf_done(&request.body);
    buf_done(&call.answer_headers);
    return text;
}

/* Starts over with these settings: JSON members. */
static inline void kit_set(struct kit *kit, const char *members)
{
    (void)kit_ask(kit, "POST", "set", arena_printf(&kit->arena, "{%s}", members));
}

static inline unsigned kit_count(struct kit *kit, const char *pattern)
{
    return (unsigned)strtoul(kit_ask(kit, "GET", arena_printf(&kit->arena, "count/%s", pattern), ""), NULL, 10);
}

static inline void kit_reference(struct kit *kit, const char *host, struct reference *ret_reference)
{
    struct err err = {0};
    CHECK_OK(reference_parse(&kit->arena, arena_printf(&kit->arena, "%s/" REPOSITORY, host), true, ret_reference, &err),
             &err);
}

static inline struct registry_options kit_options(struct kit *kit)
{
    return (struct registry_options){
        .is_verify_off = true, .retries = 5, .retry_base_ms = 5, .cancel = &kit->is_cancelled};
}

static inline struct registry *kit_open(struct kit *kit, const struct registry_options *options)
{
    struct err err = {0};
    struct reference reference;
    struct registry *registry;
    struct registry_options *kept = arena_new(&kit->arena, struct registry_options);
    *kept = *options;
    kit_reference(kit, kit->host, &reference);
    CHECK_OK(registry_open(kept, kit->http, &reference, REGISTRY_PUSH, &registry, &err), &err);
    return registry;
}

/* A registry with a password in its auth file. */
static inline struct registry *kit_open_login(struct kit *kit)
{
    struct registry_options options = kit_options(kit);
    options.authfile = kit_authfile(kit, KIT_PASSWORD);
    return kit_open(kit, &options);
}

static inline struct registry *kit_open_plain(struct kit *kit)
{
    struct registry_options options = kit_options(kit);
    return kit_open(kit, &options);
}

/* A file below the base whose name is its digest; returns its descriptor. */
static inline struct layout_blob kit_blob(struct kit *kit, const char *media_type, const void *bytes, size_t len)
{
    struct layout_blob blob = {digest_of(bytes, len), len, media_type};
    FILE *file = fopen(arena_printf(&kit->arena, "%s/%s", kit->base, digest_hex(&blob.digest).chars), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    (void)fclose(file);
    return blob;
}

static inline int kit_open_blob(struct kit *kit, const struct layout_blob *blob)
{
    int fd = open(arena_printf(&kit->arena, "%s/%s", kit->base, digest_hex(&blob->digest).chars), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static inline const char *kit_descriptor(struct kit *kit, const struct layout_blob *blob, const char *more)
{
    return arena_printf(&kit->arena, "{\"mediaType\":\"%s\",\"digest\":\"sha256:%s\",\"size\":%ju%s}", blob->media_type,
                        digest_hex(&blob->digest).chars, (uintmax_t)blob->size_bytes, more);
}

static inline struct layout_manifest kit_platform(struct kit *kit, const char *arch, const char *seed)
{
    struct layout_manifest manifest = {.os = "linux", .architecture = arch};
    size_t len = strcmp(arch, "amd64") == 0 ? KIT_BIG_BYTES : 5000;
    char *bytes = arena_alloc(&kit->arena, len);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)((i * 31 + (size_t)seed[0]) ^ (i >> 9) ^ (size_t)arch[1]);
    struct layout_blob layer = kit_blob(kit, LAYER_MEDIA, bytes, len);
    const char *config =
        arena_printf(&kit->arena, "{\"architecture\":\"%s\",\"os\":\"linux\",\"seed\":\"%s\"}", arch, seed);
    manifest.config = kit_blob(kit, OCI_MEDIA_CONFIG, config, strlen(config));
    manifest.config_bytes = text_of(config);
    list_add(&kit->arena, &manifest.layers, layer);
    manifest.bytes = text_of(arena_printf(
        &kit->arena, "{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_MANIFEST "\",\"config\":%s,\"layers\":[%s]}",
        kit_descriptor(kit, &manifest.config, ""), kit_descriptor(kit, &layer, "")));
    manifest.blob = kit_blob(kit, OCI_MEDIA_MANIFEST, manifest.bytes.ptr, manifest.bytes.len);
    return manifest;
}

/* An image for two platforms: 4 blobs, one of them of 3 MiB. Another seed gives another image. */
static inline struct layout_image kit_image(struct kit *kit, const char *seed)
{
    struct layout_image image = {.dir = kit->base, .tag = "v1", .is_index = true};
    image.blobs_fd = open(kit->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    list_add(&kit->arena, &image.manifests, kit_platform(kit, "amd64", seed));
    list_add(&kit->arena, &image.manifests, kit_platform(kit, "arm64", seed));
    image.root_bytes = text_of(
        arena_printf(&kit->arena, "{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_INDEX "\",\"manifests\":[%s,%s]}",
                     kit_descriptor(kit, &image.manifests.items[0].blob,
                                    ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}"),
                     kit_descriptor(kit, &image.manifests.items[1].blob,
                                    ",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}")));
    image.root = kit_blob(kit, OCI_MEDIA_INDEX, image.root_bytes.ptr, image.root_bytes.len);
    return image;
}

static struct kit kit;

static inline int kit_set_up(void **state)
{
    (void)state;
    return kit_start(&kit);
}

static inline int kit_tear_down(void **state)
{
    (void)state;
    return kit_stop(&kit);
}

#endif
