#!/bin/sh
# What Node.js and npm need in the sandbox. Prints nothing.
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
  NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS-/etc/ssl/certs/ca-certificates.crt}
  export NODE_EXTRA_CA_CERTS
fi
# npm asks nobody, draws nothing and tells nobody; what it downloads is kept with the component.
npm_config_update_notifier=false
npm_config_fund=false
npm_config_audit=false
npm_config_progress=false
npm_config_yes=true
npm_config_cache=${COMPONENT_DIR:-${TMPDIR:-/tmp}}/cache/npm
# What V8 compiled is kept as well: a new release starts with what did not change in it.
NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE-${COMPONENT_DIR:-${TMPDIR:-/tmp}}/cache/compile}
export NODE_COMPILE_CACHE
export npm_config_update_notifier npm_config_fund npm_config_audit npm_config_progress npm_config_yes npm_config_cache
