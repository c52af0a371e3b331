/* ld_cache_order.h - the order of names in /etc/ld.so.cache
 *
 * Private to ld_cache*.c.
 * Threads: no state.
 */
#ifndef IMGFACTORY_CLOSURE_LD_CACHE_ORDER_H
#define IMGFACTORY_CLOSURE_LD_CACHE_ORDER_H

/* Compares as _dl_cache_libcmp() of glibc's elf/dl-cache.c: negative, 0 or positive. Names may be equal here that
 * differ in their bytes ("liba.so.01", "liba.so.1"). */
int ld_cache_compare_names(const char *a, const char *b);

#endif
