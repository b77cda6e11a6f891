# wireroom as one image; the command chooses the role.
#
# The base is pinned by tag. For builds that must repeat to the byte, pin it by digest
# in your own registry: the digest belongs to the copy that you mirror and scan.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

# hadolint ignore=DL3006  # the tag is in the argument above
FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /src
# The dependencies are a layer of their own: they change less often than the code.
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/wireroom \
    && /opt/wireroom/bin/pip install --require-hashes -r requirements.lock \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY ingest ingest
COPY enrich enrich
COPY store store
COPY services services
COPY migrations migrations
COPY seeds seeds
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
    && /opt/wireroom/bin/pip install --no-deps /dist/*.whl \
    # Whoever breaks into a worker should find no installer there.
    && /opt/wireroom/bin/pip uninstall --yes pip \
    && /opt/wireroom/bin/wireroom --help

# hadolint ignore=DL3006  # as above
FROM ${PYTHON_IMAGE}
RUN groupadd --system --gid 10001 wireroom \
    && useradd --system --uid 10001 --gid wireroom --no-create-home \
        --home-dir /var/lib/wireroom --shell /usr/sbin/nologin wireroom \
    && install --directory --owner wireroom --group wireroom --mode 0700 \
        /var/lib/wireroom
COPY --from=build /opt/wireroom /opt/wireroom
# Code is compiled above and the file system may be read-only, so nothing is written
# beside it; a log line must not wait in a buffer when a worker is killed.
ENV PATH=/opt/wireroom/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WIREROOM_HOME=/var/lib/wireroom \
    WIREROOM_LOG_FORMAT=json
WORKDIR /var/lib/wireroom
USER 10001:10001
# A worker returns its messages to the queue on this signal before it leaves.
STOPSIGNAL SIGTERM
# Whoever runs a role adds `wireroom health`; a one-off command has no health.
HEALTHCHECK NONE
# No init process in between: workers reap their own children and hear the signal.
ENTRYPOINT ["wireroom"]
CMD ["--help"]
