# Serves the cassettes in /cassettes on port 8080. As a base: FROM replay-server, COPY cassettes /cassettes.

FROM python:3.12-slim AS build
WORKDIR /src
# Dependencies come first: their layers are made again only when pyproject.toml changes.
COPY pyproject.toml ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
    && python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['build-system']['requires'], sep='\n')" > build-requirements.txt \
    && pip install --no-cache-dir --prefix /dependencies -r requirements.txt \
    && pip install --no-cache-dir -r build-requirements.txt
COPY LICENSE README.md ./
COPY replay_server replay_server
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip install --no-cache-dir --no-deps --prefix /package /wheels/*.whl

FROM python:3.12-slim
LABEL org.opencontainers.image.title="replay-server" \
      org.opencontainers.image.description="An OpenAI-compatible server that answers from recordings" \
      org.opencontainers.image.licenses="MIT"
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin replay-server \
    && mkdir /cassettes
COPY --from=build /dependencies /usr/local
COPY --from=build /package /usr/local
ENV REPLAY_SERVER_HOST=0.0.0.0 \
    REPLAY_SERVER_PORT=8080 \
    REPLAY_SERVER_CASSETTES=/cassettes
USER 10001:10001
# In /, the directory that check and list look into by themselves is /cassettes too.
WORKDIR /
EXPOSE 8080
# Lighter than `replay-server smoke`: it loads no client and asks for no answer of the API.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['REPLAY_SERVER_PORT']), timeout=2); c.request('GET', '/readyz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["replay-server"]
CMD ["serve"]
