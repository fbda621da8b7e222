#!/bin/sh
# Writes the endpoints of the Services in kubernetes.yaml. Standard input has one worker on each line: its name and its address.
#
#   printf 'worker-1 10.0.0.11\nworker-2 10.0.0.12\n' | ./endpoints.sh | kubectl apply -f -
set -eu

workers=$(cat)
[ -n "$workers" ] || {
	echo 'endpoints.sh: no worker on standard input; is any labelled rushlight=camera?' >&2
	exit 1
}

# Checks all lines before it writes the first: kubectl would apply half a list.
printf '%s\n' "$workers" | while read -r name address rest; do
	case $address in
		'' | *[!0-9.]*)
			echo "endpoints.sh: \"$name $address\" is not a name and an IPv4 address" >&2
			exit 1
			;;
	esac
	[ -z "$rest" ] || {
		echo "endpoints.sh: \"$name\" has more than one address; keep one" >&2
		exit 1
	}
done

# endpoint_slice SERVICE
endpoint_slice() {
	cat <<- HEAD
		---
		apiVersion: discovery.k8s.io/v1
		kind: EndpointSlice
		metadata:
		  name: $1-workers
		  namespace: cameras
		  labels:
		    kubernetes.io/service-name: $1
		    endpointslice.kubernetes.io/managed-by: rushlight-setup
		addressType: IPv4
		ports:
		  - name: https
		    port: 8443
		    protocol: TCP
		endpoints:
	HEAD
	# The host name of an endpoint has no dots.
	printf '%s\n' "$workers" | while read -r name address; do
		printf '  - addresses: ["%s"]\n    hostname: "%s"\n    nodeName: "%s"\n    conditions:\n      ready: true\n' \
			"$address" "${name%%.*}" "$name"
	done
}

endpoint_slice rushlight
endpoint_slice rushlight-local
