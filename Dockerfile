# The provider: docker build -t member-identity-provider .
# The provider with the sample portal, for docker-compose.yml: docker build --target sample .
# It writes nothing into itself in production, so it runs with --read-only; settings and secrets come from outside
# (config/README.md).

FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM packages AS all-packages
RUN npm ci

FROM node:24-slim AS program
WORKDIR /app
COPY package.json ./
COPY config config
COPY views views
COPY src src
# The commands; .dockerignore keeps away what only development needs.
COPY scripts scripts
EXPOSE 3000
STOPSIGNAL SIGTERM
# The image has no curl. Two seconds are as long as the provider takes over a dependency that hangs.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health/live`, { signal: AbortSignal.timeout(2000) }).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]

FROM program AS sample
COPY --from=all-packages /app/node_modules node_modules
COPY examples examples
# For what development keeps: a volume takes over its owner.
RUN mkdir /data && chown node:node /data
ENV NODE_ENV=development DATA_DIR=/data
EXPOSE 3001
USER node

FROM program AS provider
COPY --from=packages /app/node_modules node_modules
ENV NODE_ENV=production
USER node
