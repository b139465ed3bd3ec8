"""The fields of Deployments and DaemonSets by type. `tools/workload_shapes.py` makes it.

A line is a type and its fields as `name:letter type`; the letters are those of `objects.native_values`
(`-`: a pointer that may be absent). `[T]` is a list of T, `{T}` a map to T; S, I and B are text, integer and
boolean, Q a quantity, T a time, X a number or text, `*` anything.
"""

SHAPES = """\
AWSElasticBlockStoreVolumeSource fsType:zS partition:zI readOnly:zB volumeID:sS
Affinity nodeAffinity:-NodeAffinity podAffinity:-PodAffinity podAntiAffinity:-PodAntiAffinity
AppArmorProfile localhostProfile:-S type:sS
AzureDiskVolumeSource cachingMode:-S diskName:sS diskURI:sS fsType:-S kind:-S readOnly:-B
AzureFileVolumeSource readOnly:zB secretName:sS shareName:sS
CSIVolumeSource driver:sS fsType:-S nodePublishSecretRef:-LocalObjectReference readOnly:-B
  volumeAttributes:e{S}
Capabilities add:e[S] drop:e[S]
CephFSVolumeSource monitors:l[S] path:zS readOnly:zB secretFile:zS secretRef:-LocalObjectReference user:zS
CinderVolumeSource fsType:zS readOnly:zB secretRef:-LocalObjectReference volumeID:sS
ClusterTrustBundleProjection labelSelector:-LabelSelector name:-S optional:-B path:sS signerName:-S
ConfigMapEnvSource name:zS optional:-B
ConfigMapKeySelector key:sS name:zS optional:-B
ConfigMapProjection items:e[KeyToPath] name:zS optional:-B
ConfigMapVolumeSource defaultMode:-I items:e[KeyToPath] name:zS optional:-B
Container args:e[S] command:e[S] env:e[EnvVar] envFrom:e[EnvFromSource] image:zS imagePullPolicy:zS
  lifecycle:-Lifecycle livenessProbe:-Probe name:sS ports:e[ContainerPort] readinessProbe:-Probe
  resizePolicy:e[ContainerResizePolicy] resources:oResourceRequirements restartPolicy:-S
  restartPolicyRules:e[ContainerRestartRule] securityContext:-SecurityContext startupProbe:-Probe stdin:zB
  stdinOnce:zB terminationMessagePath:zS terminationMessagePolicy:zS tty:zB volumeDevices:e[VolumeDevice]
  volumeMounts:e[VolumeMount] workingDir:zS
ContainerPort containerPort:nI hostIP:zS hostPort:zI name:zS protocol:zS
ContainerResizePolicy resourceName:sS restartPolicy:sS
ContainerRestartRule action:zS exitCodes:-ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes operator:zS values:e[I]
DaemonSet apiVersion:zS kind:zS metadata:oObjectMeta spec:oDaemonSetSpec status:oDaemonSetStatus
DaemonSetCondition lastTransitionTime:pT message:zS reason:zS status:sS type:sS
DaemonSetSpec minReadySeconds:zI revisionHistoryLimit:-I selector:pLabelSelector template:oPodTemplateSpec
  updateStrategy:oDaemonSetUpdateStrategy
DaemonSetStatus collisionCount:-I conditions:e[DaemonSetCondition] currentNumberScheduled:nI
  desiredNumberScheduled:nI numberAvailable:zI numberMisscheduled:nI numberReady:nI numberUnavailable:zI
  observedGeneration:zI updatedNumberScheduled:zI
DaemonSetUpdateStrategy rollingUpdate:-RollingUpdateDaemonSet type:zS
Deployment apiVersion:zS kind:zS metadata:oObjectMeta spec:oDeploymentSpec status:oDeploymentStatus
DeploymentCondition lastTransitionTime:pT lastUpdateTime:pT message:zS reason:zS status:sS type:sS
DeploymentSpec minReadySeconds:zI paused:zB progressDeadlineSeconds:-I replicas:-I revisionHistoryLimit:-I
  selector:pLabelSelector strategy:oDeploymentStrategy template:oPodTemplateSpec
DeploymentStatus availableReplicas:zI collisionCount:-I conditions:e[DeploymentCondition]
  observedGeneration:zI readyReplicas:zI replicas:zI terminatingReplicas:-I unavailableReplicas:zI
  updatedReplicas:zI
DeploymentStrategy rollingUpdate:-RollingUpdateDeployment type:zS
DownwardAPIProjection items:e[DownwardAPIVolumeFile]
DownwardAPIVolumeFile fieldRef:-ObjectFieldSelector mode:-I path:sS resourceFieldRef:-ResourceFieldSelector
DownwardAPIVolumeSource defaultMode:-I items:e[DownwardAPIVolumeFile]
EmptyDirVolumeSource medium:zS sizeLimit:-Q
EnvFromSource configMapRef:-ConfigMapEnvSource prefix:zS secretRef:-SecretEnvSource
EnvVar name:sS value:zS valueFrom:-EnvVarSource
EnvVarSource configMapKeyRef:-ConfigMapKeySelector fieldRef:-ObjectFieldSelector fileKeyRef:-FileKeySelector
  resourceFieldRef:-ResourceFieldSelector secretKeyRef:-SecretKeySelector
EphemeralContainer args:e[S] command:e[S] env:e[EnvVar] envFrom:e[EnvFromSource] image:zS imagePullPolicy:zS
  lifecycle:-Lifecycle livenessProbe:-Probe name:sS ports:e[ContainerPort] readinessProbe:-Probe
  resizePolicy:e[ContainerResizePolicy] resources:oResourceRequirements restartPolicy:-S
  restartPolicyRules:e[ContainerRestartRule] securityContext:-SecurityContext startupProbe:-Probe stdin:zB
  stdinOnce:zB targetContainerName:zS terminationMessagePath:zS terminationMessagePolicy:zS tty:zB
  volumeDevices:e[VolumeDevice] volumeMounts:e[VolumeMount] workingDir:zS
EphemeralVolumeSource volumeClaimTemplate:-PersistentVolumeClaimTemplate
ExecAction command:e[S]
FCVolumeSource fsType:zS lun:-I readOnly:zB targetWWNs:e[S] wwids:e[S]
FileKeySelector key:sS optional:-B path:sS volumeName:sS
FlexVolumeSource driver:sS fsType:zS options:e{S} readOnly:zB secretRef:-LocalObjectReference
FlockerVolumeSource datasetName:zS datasetUUID:zS
GCEPersistentDiskVolumeSource fsType:zS partition:zI pdName:sS readOnly:zB
GRPCAction port:nI service:pS
GitRepoVolumeSource directory:zS repository:sS revision:zS
GlusterfsVolumeSource endpoints:sS path:sS readOnly:zB
HTTPGetAction host:zS httpHeaders:e[HTTPHeader] path:zS port:nX scheme:zS
HTTPHeader name:sS value:sS
HostAlias hostnames:e[S] ip:sS
HostPathVolumeSource path:sS type:-S
ISCSIVolumeSource chapAuthDiscovery:zB chapAuthSession:zB fsType:zS initiatorName:-S iqn:sS
  iscsiInterface:zS lun:nI portals:e[S] readOnly:zB secretRef:-LocalObjectReference targetPortal:sS
ImageVolumeSource pullPolicy:zS reference:zS
KeyToPath key:sS mode:-I path:sS
LabelSelector matchExpressions:e[LabelSelectorRequirement] matchLabels:e{S}
LabelSelectorRequirement key:sS operator:sS values:e[S]
Lifecycle postStart:-LifecycleHandler preStop:-LifecycleHandler stopSignal:-S
LifecycleHandler exec:-ExecAction httpGet:-HTTPGetAction sleep:-SleepAction tcpSocket:-TCPSocketAction
LocalObjectReference name:zS
ManagedFieldsEntry apiVersion:zS fieldsType:zS fieldsV1:-* manager:zS operation:zS subresource:zS time:-T
NFSVolumeSource path:sS readOnly:zB server:sS
NodeAffinity preferredDuringSchedulingIgnoredDuringExecution:e[PreferredSchedulingTerm]
  requiredDuringSchedulingIgnoredDuringExecution:-NodeSelector
NodeSelector nodeSelectorTerms:l[NodeSelectorTerm]
NodeSelectorRequirement key:sS operator:sS values:e[S]
NodeSelectorTerm matchExpressions:e[NodeSelectorRequirement] matchFields:e[NodeSelectorRequirement]
ObjectFieldSelector apiVersion:zS fieldPath:sS
ObjectMeta annotations:e{S} creationTimestamp:-T deletionGracePeriodSeconds:-I deletionTimestamp:-T
  finalizers:e[S] generateName:zS generation:zI labels:e{S} managedFields:e[ManagedFieldsEntry] name:zS
  namespace:zS ownerReferences:e[OwnerReference] resourceVersion:zS selfLink:zS uid:zS
OwnerReference apiVersion:sS blockOwnerDeletion:-B controller:-B kind:sS name:sS uid:sS
PersistentVolumeClaimSpec accessModes:e[S] dataSource:-TypedLocalObjectReference
  dataSourceRef:-TypedObjectReference resources:oVolumeResourceRequirements selector:-LabelSelector
  storageClassName:-S volumeAttributesClassName:-S volumeMode:-S volumeName:zS
PersistentVolumeClaimTemplate metadata:oObjectMeta spec:oPersistentVolumeClaimSpec
PersistentVolumeClaimVolumeSource claimName:sS readOnly:zB
PhotonPersistentDiskVolumeSource fsType:zS pdID:sS
PodAffinity preferredDuringSchedulingIgnoredDuringExecution:e[WeightedPodAffinityTerm]
  requiredDuringSchedulingIgnoredDuringExecution:e[PodAffinityTerm]
PodAffinityTerm labelSelector:-LabelSelector matchLabelKeys:e[S] mismatchLabelKeys:e[S]
  namespaceSelector:-LabelSelector namespaces:e[S] topologyKey:sS
PodAntiAffinity preferredDuringSchedulingIgnoredDuringExecution:e[WeightedPodAffinityTerm]
  requiredDuringSchedulingIgnoredDuringExecution:e[PodAffinityTerm]
PodCertificateProjection certificateChainPath:zS credentialBundlePath:zS keyPath:zS keyType:zS
  maxExpirationSeconds:-I signerName:zS userAnnotations:e{S}
PodDNSConfig nameservers:e[S] options:e[PodDNSConfigOption] searches:e[S]
PodDNSConfigOption name:zS value:-S
PodOS name:sS
PodReadinessGate conditionType:sS
PodResourceClaim name:sS resourceClaimName:-S resourceClaimTemplateName:-S
PodSchedulingGate name:sS
PodSecurityContext appArmorProfile:-AppArmorProfile fsGroup:-I fsGroupChangePolicy:-S runAsGroup:-I
  runAsNonRoot:-B runAsUser:-I seLinuxChangePolicy:-S seLinuxOptions:-SELinuxOptions
  seccompProfile:-SeccompProfile supplementalGroups:e[I] supplementalGroupsPolicy:-S sysctls:e[Sysctl]
  windowsOptions:-WindowsSecurityContextOptions
PodSpec activeDeadlineSeconds:-I affinity:-Affinity automountServiceAccountToken:-B containers:l[Container]
  dnsConfig:-PodDNSConfig dnsPolicy:zS enableServiceLinks:-B ephemeralContainers:e[EphemeralContainer]
  hostAliases:e[HostAlias] hostIPC:zB hostNetwork:zB hostPID:zB hostUsers:-B hostname:zS hostnameOverride:-S
  imagePullSecrets:e[LocalObjectReference] initContainers:e[Container] nodeName:zS nodeSelector:e{S}
  os:-PodOS overhead:e{Q} preemptionPolicy:-S priority:-I priorityClassName:zS
  readinessGates:e[PodReadinessGate] resourceClaims:e[PodResourceClaim] resources:-ResourceRequirements
  restartPolicy:zS runtimeClassName:-S schedulerName:zS schedulingGates:e[PodSchedulingGate]
  securityContext:-PodSecurityContext serviceAccount:zS serviceAccountName:zS setHostnameAsFQDN:-B
  shareProcessNamespace:-B subdomain:zS terminationGracePeriodSeconds:-I tolerations:e[Toleration]
  topologySpreadConstraints:e[TopologySpreadConstraint] volumes:e[Volume] workloadRef:-WorkloadReference
PodTemplateSpec metadata:oObjectMeta spec:oPodSpec
PortworxVolumeSource fsType:zS readOnly:zB volumeID:sS
PreferredSchedulingTerm preference:oNodeSelectorTerm weight:nI
Probe exec:-ExecAction failureThreshold:zI grpc:-GRPCAction httpGet:-HTTPGetAction initialDelaySeconds:zI
  periodSeconds:zI successThreshold:zI tcpSocket:-TCPSocketAction terminationGracePeriodSeconds:-I
  timeoutSeconds:zI
ProjectedVolumeSource defaultMode:-I sources:l[VolumeProjection]
QuobyteVolumeSource group:zS readOnly:zB registry:sS tenant:zS user:zS volume:sS
RBDVolumeSource fsType:zS image:sS keyring:zS monitors:l[S] pool:zS readOnly:zB
  secretRef:-LocalObjectReference user:zS
ResourceClaim name:sS request:zS
ResourceFieldSelector containerName:zS divisor:qQ resource:sS
ResourceRequirements claims:e[ResourceClaim] limits:e{Q} requests:e{Q}
RollingUpdateDaemonSet maxSurge:-X maxUnavailable:-X
RollingUpdateDeployment maxSurge:-X maxUnavailable:-X
SELinuxOptions level:zS role:zS type:zS user:zS
ScaleIOVolumeSource fsType:zS gateway:sS protectionDomain:zS readOnly:zB secretRef:pLocalObjectReference
  sslEnabled:zB storageMode:zS storagePool:zS system:sS volumeName:zS
SeccompProfile localhostProfile:-S type:sS
SecretEnvSource name:zS optional:-B
SecretKeySelector key:sS name:zS optional:-B
SecretProjection items:e[KeyToPath] name:zS optional:-B
SecretVolumeSource defaultMode:-I items:e[KeyToPath] optional:-B secretName:zS
SecurityContext allowPrivilegeEscalation:-B appArmorProfile:-AppArmorProfile capabilities:-Capabilities
  privileged:-B procMount:-S readOnlyRootFilesystem:-B runAsGroup:-I runAsNonRoot:-B runAsUser:-I
  seLinuxOptions:-SELinuxOptions seccompProfile:-SeccompProfile
  windowsOptions:-WindowsSecurityContextOptions
ServiceAccountTokenProjection audience:zS expirationSeconds:-I path:sS
SleepAction seconds:nI
StorageOSVolumeSource fsType:zS readOnly:zB secretRef:-LocalObjectReference volumeName:zS volumeNamespace:zS
Sysctl name:sS value:sS
TCPSocketAction host:zS port:nX
Toleration effect:zS key:zS operator:zS tolerationSeconds:-I value:zS
TopologySpreadConstraint labelSelector:-LabelSelector matchLabelKeys:e[S] maxSkew:nI minDomains:-I
  nodeAffinityPolicy:-S nodeTaintsPolicy:-S topologyKey:sS whenUnsatisfiable:sS
TypedLocalObjectReference apiGroup:pS kind:sS name:sS
TypedObjectReference apiGroup:pS kind:sS name:sS namespace:-S
Volume awsElasticBlockStore:-AWSElasticBlockStoreVolumeSource azureDisk:-AzureDiskVolumeSource
  azureFile:-AzureFileVolumeSource cephfs:-CephFSVolumeSource cinder:-CinderVolumeSource
  configMap:-ConfigMapVolumeSource csi:-CSIVolumeSource downwardAPI:-DownwardAPIVolumeSource
  emptyDir:-EmptyDirVolumeSource ephemeral:-EphemeralVolumeSource fc:-FCVolumeSource
  flexVolume:-FlexVolumeSource flocker:-FlockerVolumeSource gcePersistentDisk:-GCEPersistentDiskVolumeSource
  gitRepo:-GitRepoVolumeSource glusterfs:-GlusterfsVolumeSource hostPath:-HostPathVolumeSource
  image:-ImageVolumeSource iscsi:-ISCSIVolumeSource name:sS nfs:-NFSVolumeSource
  persistentVolumeClaim:-PersistentVolumeClaimVolumeSource
  photonPersistentDisk:-PhotonPersistentDiskVolumeSource portworxVolume:-PortworxVolumeSource
  projected:-ProjectedVolumeSource quobyte:-QuobyteVolumeSource rbd:-RBDVolumeSource
  scaleIO:-ScaleIOVolumeSource secret:-SecretVolumeSource storageos:-StorageOSVolumeSource
  vsphereVolume:-VsphereVirtualDiskVolumeSource
VolumeDevice devicePath:sS name:sS
VolumeMount mountPath:sS mountPropagation:-S name:sS readOnly:zB recursiveReadOnly:-S subPath:zS
  subPathExpr:zS
VolumeProjection clusterTrustBundle:-ClusterTrustBundleProjection configMap:-ConfigMapProjection
  downwardAPI:-DownwardAPIProjection podCertificate:-PodCertificateProjection secret:-SecretProjection
  serviceAccountToken:-ServiceAccountTokenProjection
VolumeResourceRequirements limits:e{Q} requests:e{Q}
VsphereVirtualDiskVolumeSource fsType:zS storagePolicyID:zS storagePolicyName:zS volumePath:sS
WeightedPodAffinityTerm podAffinityTerm:oPodAffinityTerm weight:nI
WindowsSecurityContextOptions gmsaCredentialSpec:-S gmsaCredentialSpecName:-S hostProcess:-B
  runAsUserName:-S
WorkloadReference name:sS podGroup:sS podGroupReplicaKey:zS
"""
