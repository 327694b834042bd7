#!/bin/sh
echo started > /tmp/started
while :; do sleep 10; done
