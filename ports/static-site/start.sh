#!/bin/sh
# Runs nginx in the foreground.
need RELEASE_DIR RUN_DIR LIBSCRIPT_LISTEN_PORT
[ -d "$RELEASE_DIR" ] || die "there is no build in $RELEASE_DIR; deploy the component again"
SITE_LISTEN=$(url_host "${LIBSCRIPT_LISTEN_ADDRESS:-127.0.0.1}"):$LIBSCRIPT_LISTEN_PORT
# shellcheck disable=SC2016 # the dollar is nginx's
if is_true "${SITE_CLEAN_URLS-true}"; then SITE_HTML=' $uri.html'; else SITE_HTML=; fi
if [ -n "${SITE_FALLBACK-}" ]; then SITE_LAST=/${SITE_FALLBACK#/}; else SITE_LAST='=404'; fi
if [ -f "$RELEASE_DIR/404.html" ]; then SITE_ERROR_PAGE='error_page 404 /404.html;'; else SITE_ERROR_PAGE=; fi
if [ "${SITE_CACHE_SECONDS-0}" = 0 ]; then SITE_CACHE=no-cache; else SITE_CACHE="public, max-age=$SITE_CACHE_SECONDS"; fi
SITE_INDEX=${SITE_INDEX:-index.html}
export SITE_LISTEN SITE_HTML SITE_LAST SITE_ERROR_PAGE SITE_CACHE SITE_INDEX
mkdir -p "$RUN_DIR/nginx"
render_to "$RUN_DIR/nginx.conf" "$HITHE_PORT_DIR/templates/nginx.conf"
exec nginx -e stderr -p "$RUN_DIR/nginx" -c "$RUN_DIR/nginx.conf"
