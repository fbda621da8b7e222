# shellcheck shell=bash
# The light agent as a separate package: one file of JavaScript, for Debian's Node.js.

# bundle_agent FOLDER: the agent and the modules that it uses as one file.
bundle_agent() {
	"$SOURCE_DIR/node_modules/.bin/node" "$RELEASE_DIR/agent/bundle.ts" "$1" ||
		fail "the agent could not be bundled; see above (it needs the packages that npm test installs)"
}

# pack_agent VERSION OUT WORK
pack_agent() {
	local version out=$2 folder=$3/agent
	version=$(debian_version "$1")
	install -d "$folder/DEBIAN" "$folder/usr/lib/rushlight-agent" "$folder/usr/share/man/man1" \
		"$folder/usr/share/doc/rushlight-agent/examples" "$folder/etc/rushlight-agent"
	bundle_agent "$folder/usr/lib/rushlight-agent"
	install -D -m 755 "$RELEASE_DIR/agent/rushlight-agent" "$folder/usr/bin/rushlight-agent"
	install -D -m 644 "$RELEASE_DIR/agent/rushlight-agent@.service" "$folder/usr/lib/systemd/system/rushlight-agent@.service"
	install -m 644 "$RELEASE_DIR/agent/example.conf" "$folder/usr/share/doc/rushlight-agent/examples/feed.conf"
	gzip -9n < "$RELEASE_DIR/agent/rushlight-agent.1" > "$folder/usr/share/man/man1/rushlight-agent.1.gz"
	cat "$RELEASE_DIR/agent/copyright" > "$folder/usr/share/doc/rushlight-agent/copyright"
	cat > "$folder/DEBIAN/control" <<- EOF2
		Package: rushlight-agent
		Version: $version
		Architecture: all
		Maintainer: $MAINTAINER
		Installed-Size: 0
		Depends: nodejs (>= 20.3), ffmpeg
		Section: video
		Priority: optional
		Description: sends the pictures of a camera to a Rushlight hub
		 The light agent for a machine that has a camera and nothing else to do with
		 Rushlight: it publishes the camera's motion JPEG pictures as a feed of a hub.
	EOF2
	install -m 755 "$RELEASE_DIR/agent/postinst" "$RELEASE_DIR/agent/prerm" "$RELEASE_DIR/agent/postrm" "$folder/DEBIAN/"
	finish_package "$folder" rushlight-agent "$version" "$out"
}
