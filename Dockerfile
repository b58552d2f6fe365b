# syntax=docker/dockerfile:1
# Two images of one release: `serve` for gateway, servers, worker and commands, and `train`, which has PyTorch besides.
# tests/long/test_clean_root.py runs the commands of these stages in an empty Debian.

ARG PYTHON=3.11.14-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /src
RUN python -m venv /opt/bookmesh
ENV PATH=/opt/bookmesh/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY . .
RUN pip install --constraint constraints.txt '.[mysql,postgresql,tracing]'

# PyTorch's own build for CPUs, without gigabytes of CUDA.
FROM build AS build-train
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --constraint constraints.txt --index-url ${TORCH_INDEX} --no-deps torch \
 && pip install --constraint constraints.txt '.[train]'

FROM python:${PYTHON} AS base
# libgomp1 is what faiss and implicit count their threads with.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 bookmesh \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/bookmesh --create-home --shell /usr/sbin/nologin bookmesh
ENV PATH=/opt/bookmesh/bin:$PATH BOOKMESH_HOME=/var/lib/bookmesh PYTHONUNBUFFERED=1
WORKDIR /var/lib/bookmesh
VOLUME /var/lib/bookmesh
USER 10001:10001
ENTRYPOINT ["bookmesh"]
CMD ["--help"]

FROM base AS train
COPY --from=build-train /opt/bookmesh /opt/bookmesh

FROM base AS serve
COPY --from=build /opt/bookmesh /opt/bookmesh
