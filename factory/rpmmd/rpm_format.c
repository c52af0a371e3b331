#include "rpmmd/rpm_format.h"

#include "rpm/rpm_facts.h"
#include "rpm/rpm_unpack.h"

static const char *package_fault(const struct package *package)
{
    return package_fact(package, RPM_VERSION) && package_fact(package, RPM_RELEASE)
               ? NULL
               : "an RPM package without version or release";
}

static const char *const install_scripts[] = {"pretrans", "prein", "postin", "posttrans", NULL};

const struct format format_rpm = {
    .name = "rpm",
    .unpack = rpm_unpack,
    .package_fault = package_fault,
    .identity_place = "header",
    .install_scripts = install_scripts,
    .database = rpm_database,
};
