/* SPDX-License-Identifier: Apache-2.0 */
/* alters.h - what a setting can do to a finished product (the bytes of a layer, or what its bill says): told of every
 * option and every key in its table
 *
 * A table's row cannot be written without it, since the tables' macros want it (OPTION of cli/option_table.c, YAML_FIELD
 * of plan/yaml.h): so a new option cannot be forgotten in the key of finished products (bill/inputs.h).
 * tests/unit/test_inputs.c sets each and looks at the key.
 * Threads: no state.
 */
#ifndef IMGFACTORY_BASE_ALTERS_H
#define IMGFACTORY_BASE_ALTERS_H

enum alters {
    ALTERS_NOTHING = 1, /* a product is the same whatever it says */
    ALTERS_INPUTS,      /* a field of struct inputs is made of it */
    ALTERS_ORDER, /* it chooses manifest, architecture, recipes, features, families or source of an order, or is a key of their files:
                         * struct inputs holds the digests of those */
};

#endif
