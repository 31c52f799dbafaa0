# syntax=docker/dockerfile:1
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.txt .
RUN python -m venv /venv \
 && /venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r requirements.txt \
 && /venv/bin/python -m pip check

FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 CSAT_PUBLIC_HOST=0.0.0.0
WORKDIR /app
COPY --from=build /venv /venv
COPY app.py manifest.yml pyproject.toml ./
COPY blocks blocks
COPY bootstrap bootstrap
COPY cli cli
COPY csat csat
COPY demo demo
COPY handlers handlers
COPY notifications notifications
COPY sandbox sandbox
RUN mkdir /data && chown 10001:10001 /data
VOLUME /data
# where csat.db is, unless there is a DATABASE_URL
WORKDIR /data
USER 10001:10001
EXPOSE 3000 3001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["/venv/bin/python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ.get('PORT') or 3000}/readyz\", timeout=4)"]
ENTRYPOINT ["/venv/bin/python", "/app/app.py"]
