#!/bin/busybox sh
# What udhcpc has found is given to the interface.
if [ "$1" = bound ]; then
  ip addr flush dev $interface
  ip addr add $ip/${mask:-24} dev $interface
  [ -n "$router" ] && ip route add default via $router
  echo "dhcp $ip via $router"
fi
exit 0
