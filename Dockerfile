# The images of egresstrator.
#
#   docker build -t egresstrator:1.0.0 .                            the controller, which is its own helper
#   docker build --target helper -t egresstrator-helper:1.0.0 .     only the helper, for a controller on the host
#
# What changes least comes first, so that a change of the source builds nothing but the last layers.
ARG BASE_IMAGE=node:24-bookworm-slim

# --- the helper: loads a text in a network namespace, and nothing else ------------------------------
FROM ${BASE_IMAGE} AS helper
RUN apt-get update \
 && apt-get install -y --no-install-recommends nftables iptables conntrack iproute2 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log
COPY dataplane/netns dataplane/host dataplane/tables /usr/local/lib/egresstrator/
RUN chmod 755 /usr/local/lib/egresstrator/netns /usr/local/lib/egresstrator/host
# The controller looks for this label before it makes helpers of an image. Its value is what `netns version` says.
LABEL egresstrator.helper="9" \
      org.opencontainers.image.title="egresstrator" \
      org.opencontainers.image.description="Live egress firewalls for Docker containers, from rules and services in Consul" \
      org.opencontainers.image.licenses="Apache-2.0"
ENTRYPOINT ["/usr/local/lib/egresstrator/netns"]
CMD ["version"]

# --- what the controller is made of -----------------------------------------------------------------
FROM ${BASE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# .npmrc has no scripts run: the only ones among them compile optional native code that we have no use for.
RUN npm ci && npm cache clean --force
COPY tsconfig.json ./
COPY scripts/bundle.ts scripts/bundle-page.ts scripts/
COPY src src
COPY page page
RUN npm run compile

# --- the controller ---------------------------------------------------------------------------------
# It runs as root: the Engine's socket belongs to root. `egresstrator page` needs no privileges. nsenter and unshare are in every Debian.
FROM helper AS controller
ENV NODE_ENV=production
WORKDIR /app
COPY LICENSE package.json ./
COPY dataplane dataplane
COPY gate gate
COPY templates templates
COPY --from=build /app/dist dist
# `egresstrator page` runs as any user, whatever the modes in the checkout are.
RUN ln -s /app/dist/cli/main.js /usr/local/bin/egresstrator && chmod a+r package.json
ARG VERSION=
LABEL org.opencontainers.image.version="${VERSION}"
ENTRYPOINT ["egresstrator"]
CMD []
