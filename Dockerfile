# Two stages of one base: what builds stays behind, and the interpreter that the virtual
# environment points to is at the same place in both.

FROM python:3.11.15-slim-bookworm AS build
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
ENV UV_PROJECT_ENVIRONMENT=/opt/tassei \
    UV_PYTHON=/usr/local/bin/python3.11 \
    UV_PYTHON_DOWNLOADS=never \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1
WORKDIR /build
# The dependencies first: a change of our own code does not fetch them again.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project
COPY README.md ./
COPY app app
RUN uv sync --frozen --no-dev --no-editable

FROM python:3.11.15-slim-bookworm
LABEL org.opencontainers.image.title="tassei" \
      org.opencontainers.image.description="Self-hosted goal tracking for sales teams that is exact, live and honest." \
      org.opencontainers.image.version="0.1.0"
# What installs software has no business where software runs. The folder's owner is what a new
# volume at /data begins with.
RUN pip uninstall --quiet --yes pip setuptools wheel \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=build /opt/tassei /opt/tassei
# The port and the address stand here because HEALTHCHECK reads them, and because the environment
# wins over a file that TASSEI_SETTINGS names: the check and the service cannot disagree.
ENV PATH=/opt/tassei/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TASSEI_DATA_DIR=/data \
    TASSEI_HOST=0.0.0.0 \
    TASSEI_PORT=8000 \
    TASSEI_LOG_FORMAT=json
# A number, not a name: Kubernetes' runAsNonRoot can check only a number.
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
# The start period covers migrations; a start that is done sooner counts sooner.
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-m", "app.probe"]
ENTRYPOINT ["tassei"]
CMD ["serve"]
