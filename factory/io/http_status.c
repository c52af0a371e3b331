/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_status.h"

/* Of the 5xx those are final that speak of the request, or of what time does not mend: 501 Not Implemented, 505 HTTP
 * Version, 507 Insufficient Storage, 508 Loop, 510 Not Extended, 511 Network Authentication Required. The numbers
 * behind them are those of proxies (Cloudflare: 520 to 530); 499 is nginx's for a client that went away, and of its
 * upstreams it reaches us. */
bool http_status_is_transient(long status)
{
    switch (status) {
    case 408:
    case 425:
    case 429:
    case 499:
        return true;
    case 501:
    case 505:
    case 507:
    case 508:
    case 510:
    case 511:
        return false;
    default:
        return status >= 500 && status <= 599;
    }
}

bool http_status_is_absent(long status)
{
    return status == 404 || status == 410;
}

bool http_status_is_denied(long status)
{
    return status == 401 || status == 403 || status == 407;
}

bool http_status_is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}
