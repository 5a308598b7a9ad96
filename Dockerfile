# groupvit in an image with nothing else: no shell, no user but one without rights.
#
#   docker build -t groupvit .
#   docker build -t groupvit --build-arg VERSION=v1.2.3 .
#   docker run --rm --read-only -v "$PWD:/photos" -w /photos groupvit segment cat.jpg --labels cat,sofa
#   docker run --rm --read-only -p 8080:8080 groupvit serve --listen 0.0.0.0:8080
#
# Models by name are cached in /cache: mount a volume there to keep them.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
# With .git, Go stamps the commit as the version; VERSION is another one.
COPY . .
ARG VERSION=
RUN CGO_ENABLED=0 go build -tags nodynamic -trimpath -ldflags "-s -w -X github.com/groupvit/groupvit/internal/cli.release=$VERSION" -o /out/groupvit ./cmd/groupvit \
    && mkdir -p /out/cache /out/tmp && chown 65532:65532 /out/cache && chmod 1777 /out/tmp

FROM scratch
COPY --from=build /out/ /
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY LICENSE /LICENSE
ENV HF_HOME=/cache
USER 65532:65532
EXPOSE 8080
VOLUME ["/cache"]
ENTRYPOINT ["/groupvit"]
