# The runbook with every answer known beforehand: $1 old ID, $2 name, $3 peer URL, $4 client URL, $5 the others.
set -eu
export PATH=/opt/etcd/current:/usr/sbin:/usr/bin:/sbin:/bin ETCDCTL_API=3
units=/etc/systemd/system conf=/opt/app/conf
healthy() { until curl -s -m 1 "$1/health" | grep -q '"health":"true"'; do sleep 0.01; done; }
stamp() { echo "$1 $EPOCHREALTIME"; }
stamp began
# 1
mv $units/etcd.service $units/etcd1.service
systemctl daemon-reload
systemctl stop etcd
stamp stopped
# 2
etcdctl --endpoints="$5" member list >/dev/null
etcdctl --endpoints="$5" member remove "$1" >/dev/null
stamp removed
etcdctl --endpoints="$5" member add "$2" --peer-urls="$3" >/dev/null
stamp added
# 3
rm -rf /var/lib/etcd/default.etcd
cp -p $conf/etcd.env $conf/etcd1.env
sed -i 's/^ETCD_INITIAL_CLUSTER_STATE=.*/ETCD_INITIAL_CLUSTER_STATE=existing/' $conf/etcd1.env
sed -i "s#^EnvironmentFile=.*#EnvironmentFile=$conf/etcd1.env#" $units/etcd1.service
systemctl daemon-reload
stamp staged
systemctl start etcd1
healthy "$4"
# 4
etcdctl --endpoints="$4" endpoint health >/dev/null
etcdctl --endpoints="$5" member list >/dev/null
etcdctl --endpoints="$4,$5" endpoint health >/dev/null
stamp looked
# 5
mv $units/etcd1.service $units/etcd.service
rm $conf/etcd1.env
sed -i "s#^EnvironmentFile=.*#EnvironmentFile=$conf/etcd.env#" $units/etcd.service
systemctl daemon-reload
systemctl stop etcd1
systemctl start etcd
# 6
healthy "$4"
stamp ended
