#!/bin/sh
# Makes realm, directory and zone of DOMAIN for the host at HOST_ADDRESS, once. A run that was cut short begins anew. Passwords are
# in no command's words and in nothing that is printed.
set -eu
umask 077

lower=$(printf %s "$DOMAIN" | tr '[:upper:]' '[:lower:]')
case $lower in *[!a-z0-9.-]* | .* | *. | *..* | -*)
    echo "DOMAIN is no domain: $DOMAIN" >&2
    exit 1
    ;;
esac
case $HOST_ADDRESS in *[!0-9.]* | '')
    echo "HOST_ADDRESS is no IPv4 address: $HOST_ADDRESS" >&2
    exit 1
    ;;
esac
realm=$(printf %s "$lower" | tr '[:lower:]' '[:upper:]')
suffix=dc=$(printf %s "$lower" | sed 's/\./,dc=/g')
read -r host < /proc/sys/kernel/hostname
host=${host%%.*}

# The password: given, else made.
secret=/data/admin-password
if [ -r /run/secrets/admin-password ]; then
    head -n 1 /run/secrets/admin-password > "$secret"
elif [ ! -s "$secret" ]; then
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n' > "$secret"
    echo >> "$secret"
    echo "made the administrator's password, which is in $secret"
fi
read -r password < "$secret"

# Kerberos.
cat > /etc/krb5.conf <<END
[libdefaults]
    default_realm = $realm
    dns_lookup_kdc = true
    rdns = false
[realms]
    $realm = {
        kdc = 127.0.0.1
        admin_server = 127.0.0.1
    }
[domain_realm]
    .$lower = $realm
    $lower = $realm
[logging]
    default = FILE:/dev/stderr
END
chmod 644 /etc/krb5.conf
cat > /etc/krb5kdc/kdc.conf <<END
[kdcdefaults]
    kdc_ports = 88
    kdc_tcp_ports = 88
[realms]
    $realm = {
        database_name = /var/lib/krb5kdc/principal
        key_stash_file = /etc/krb5kdc/stash
        acl_file = /etc/krb5kdc/kadm5.acl
        max_life = 10h 0m 0s
        max_renewable_life = 7d 0h 0m 0s
        default_principal_flags = +preauth
    }
END
echo "*/admin@$realm *" > /etc/krb5kdc/kadm5.acl
rm -f /var/lib/krb5kdc/* /etc/krb5kdc/stash
od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > /etc/krb5kdc/master
echo >> /etc/krb5kdc/master
cat /etc/krb5kdc/master /etc/krb5kdc/master | kdb5_util -r "$realm" create -s
rm /etc/krb5kdc/master
printf '%s\n%s\n' "$password" "$password" | kadmin.local -r "$realm" -q "addprinc admin/admin@$realm"
kadmin.local -r "$realm" -q "addprinc -randkey host/$host.$lower@$realm"

# The directory.
rm -rf /etc/ldap/slapd.d/* /var/lib/ldap/*
printf %s "$password" > /data/.password
hash=$(slappasswd -T /data/.password)
rm /data/.password
config=/etc/ldap/slapd.d/.config.ldif
{
    printf 'dn: cn=config\nobjectClass: olcGlobal\ncn: config\nolcPidFile: /run/slapd/slapd.pid\n\n'
    printf 'dn: cn=module,cn=config\nobjectClass: olcModuleList\ncn: module\nolcModulePath: /usr/lib/ldap\n'
    printf 'olcModuleLoad: back_mdb\n\ndn: cn=schema,cn=config\nobjectClass: olcSchemaConfig\ncn: schema\n\n'
    for schema in core cosine inetorgperson nis; do
        printf 'include: file:///etc/ldap/schema/%s.ldif\n\n' "$schema"
    done
    printf 'dn: olcDatabase=mdb,cn=config\nobjectClass: olcMdbConfig\nolcDatabase: mdb\nolcDbDirectory: /var/lib/ldap\n'
    printf 'olcSuffix: %s\nolcRootDN: cn=admin,%s\nolcRootPW: %s\n' "$suffix" "$suffix" "$hash"
    printf 'olcAccess: to attrs=userPassword by self write by anonymous auth by * none\nolcAccess: to * by * read\n'
    printf 'olcDbIndex: objectClass,uid eq\n'
} > "$config"
slapadd -n 0 -F /etc/ldap/slapd.d -l "$config"
rm "$config"
slapadd -n 1 -F /etc/ldap/slapd.d <<END
dn: $suffix
objectClass: dcObject
objectClass: organization
o: $lower
dc: ${lower%%.*}

dn: ou=people,$suffix
objectClass: organizationalUnit
ou: people
END
chown -R openldap:openldap /etc/ldap/slapd.d/ /var/lib/ldap/

# The zone.
cat > /var/lib/bind/zone <<END
\$TTL 3600
@ IN SOA $host.$lower. hostmaster.$lower. ($(date +%s) 3600 900 604800 300)
@ IN NS $host.$lower.
$host IN A $HOST_ADDRESS
_kerberos IN TXT "$realm"
_kerberos._udp IN SRV 0 0 88 $host.$lower.
_kerberos._tcp IN SRV 0 0 88 $host.$lower.
_ldap._tcp IN SRV 0 0 389 $host.$lower.
END
chmod 644 /var/lib/bind/zone
echo "zone \"$lower\" { type primary; file \"/var/lib/bind/zone\"; };" > /etc/bind/named.conf.local
chmod 644 /etc/bind/named.conf.local
echo "made the realm $realm, the directory $suffix and the zone $lower"
