#!/bin/sh
# Installs the package with its dependencies into PREFIX/app, once for everybody who asks for this package and version.
need PREFIX NPM_PACKAGE NPM_PACKAGE_VERSION
app=$PREFIX/app
rm -rf "$app"
mkdir -p "$app"
cd "$app" || die "$app cannot be entered"
printf '{"name":"hithe-npm-app","private":true}\n' >package.json
HOME=$PREFIX/.home npm_config_cache=$PREFIX/.npm-cache
export HOME npm_config_cache
log "installing $NPM_PACKAGE@$NPM_PACKAGE_VERSION"
npm install --omit=dev --save-exact -- "$NPM_PACKAGE@$NPM_PACKAGE_VERSION" >&2
rm -rf "$HOME" "$npm_config_cache"
node "$HITHE_PORT_DIR/package-binary.mjs" "$NPM_PACKAGE" >"$app/hithe-command"
