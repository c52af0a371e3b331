/* SPDX-License-Identifier: Apache-2.0 */
/* capability.h - file capabilities: from text to the bytes of the xattr security.capability
 *
 * Text: cap_from_text(3), as RPM's FILECAPS has it ("cap_net_raw=ep", "= cap_chown,cap_kill+eip"). Bytes: struct
 * vfs_cap_data revision 2 of linux/capability.h, 20 bytes, little endian on every machine.
 * Threads: no state.
 */
#ifndef IMGFACTORY_PACKAGE_CAPABILITY_H
#define IMGFACTORY_PACKAGE_CAPABILITY_H

#include "base/text.h"

#define CAPABILITY_BYTES 20

/* Translates. False when the text is not understood, or when it says what a file cannot have: an effective set that is
 * neither empty nor all of the other two. "All" is what Linux 5.9 to 6.x knows. */
bool capability_parse(struct text text, char ret_bytes[CAPABILITY_BYTES]) MUST_CHECK;
/* Finds one capability by its name ("cap_chown", in capitals, too), its number, or "all": bits by the kernel's numbers; 0
 * when it is none. */
uint64_t capability_find(struct text name);
/* Prints the bytes for a set that is permitted, and effective from the start. */
void capability_print(uint64_t set, char ret_bytes[CAPABILITY_BYTES]);

#endif
